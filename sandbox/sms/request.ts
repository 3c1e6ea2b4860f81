import { z } from 'zod';

const text = z.string().max(2000);
const number = z.union([text, z.number().int()]).transform(String);

const recipient = z.looseObject({ mobiles: number });
const request = z.looseObject({
  template_id: text.optional(),
  sender: text.optional(),
  entity_id: text.optional(),
  mobile: number.optional(),
  mobiles: number.optional(),
  kind: text.optional(),
  text: text.optional(),
  otp: number.optional(),
  reference: text.optional(),
  variables: z.record(z.string(), z.union([text, z.number()])).optional(),
  recipients: z.array(recipient).max(1000).optional(),
});

export type Outgoing = { to: string; text: string };
export type SmsRequest = {
  templateId: string;
  sender: string | null;
  kind: string | null;
  reference: string | null;
  messages: Outgoing[];
};

/** What a sending request asks for; a text is the gateway's reason to refuse it. */
export function readRequest(body: unknown): SmsRequest | string {
  const parsed = request.safeParse(body);
  if (!parsed.success) return 'Invalid request';
  const { template_id: templateId = '', recipients, ...given } = parsed.data;
  if (templateId === '') return 'template id missing';
  const mobile = given.mobile ?? given.mobiles;
  const single = mobile === undefined ? [] : [{ mobiles: mobile, ...given.variables }];
  const messages = [...single, ...(recipients ?? [])].map(({ mobiles, ...variables }) => ({
    to: toE164(mobiles),
    text: given.text ?? given.otp ?? Object.values(variables).join(' '),
  }));
  if (messages.length === 0) return 'mobile number missing';
  const known = messages.flatMap(({ to, text: sent }) => (to === undefined ? [] : [{ to, text: sent }]));
  if (known.length < messages.length) return 'Invalid mobile number';
  if (known.some(({ text: sent }) => sent === '')) return 'message missing';
  const { sender = null, kind = null, reference = null } = given;
  return { templateId, sender, kind, reference, messages: known };
}

/** E.164 of a number with its country code, `+` or not; a space at the front is a `+` that a query string lost. */
export function toE164(given: string): string | undefined {
  const digits = given.trim().replace(/^\+/, '');
  return /^[1-9]\d{10,14}$/.test(digits) ? `+${digits}` : undefined;
}
