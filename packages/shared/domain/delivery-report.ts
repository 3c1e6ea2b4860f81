import { NOTIFICATION_KINDS, type NotificationKind } from './notification.ts';
import type { Delivery } from './voucher-message.ts';

/** The most reports that one call may bring. */
export const MOST_REPORTS = 1_000;

/** Which message a report is about: by our own reference where the gateway sends it back, else by the gateway's id. */
export type ReportedMessage =
  | { readonly by: 'voucher'; readonly payoutId: string; readonly number: number }
  | { readonly by: 'notification'; readonly kind: NotificationKind; readonly subject: string }
  | { readonly by: 'id'; readonly messageId: string };

export type DeliveryReport = {
  readonly message: ReportedMessage;
  readonly delivery: Delivery;
  /** Why it failed, in the gateway's words, without anything that may be a number or a code. */
  readonly reason: string | null;
};

/** MSG91's codes, and the words that it and other gateways use. What is not here is a step on the way and changes nothing. */
const DELIVERIES: ReadonlyMap<string, Delivery> = new Map([
  ['1', 'delivered'],
  ['delivered', 'delivered'],
  ...[
    '2',
    '9',
    '16',
    '17',
    '25',
    'failed',
    'undelivered',
    'rejected',
    'blocked',
    'blocked number',
    'ndnc',
    'expired',
  ].map((word): [string, Delivery] => [word, 'failed']),
]);

const VOUCHER = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([1-9]\d{0,8})$/;
const NOTIFICATION = new RegExp(`^(${NOTIFICATION_KINDS.join('|')})-([cp][0-9a-f-]{1,40})$`);
const OTP_PREFIX = 'otp-';
const MESSAGE_ID = /^[\x21-\x7e]{1,100}$/;
const LONGEST_REASON = 60;

/**
 * Reads what an SMS gateway reports (MSG91's webhook, all its versions): one report, a list of them, or a list of sendings with a list of reports each.
 * What is no report, is about nothing of ours or says nothing final is left out.
 *
 * @param body the JSON value, or the form's fields; `data` may hold JSON text
 * @returns null if it has more than MOST_REPORTS
 */
export function readDeliveryReports(body: unknown): DeliveryReport[] | null {
  const sendings = listOf(unwrapped(body));
  const found: DeliveryReport[] = [];
  let count = 0;
  for (const sending of sendings) {
    const parts = 'report' in sending ? listOf(sending.report) : [sending];
    for (const part of parts) {
      count += 1;
      if (count > MOST_REPORTS) return null;
      const report = readReport({ ...sending, ...part });
      if (report !== null) found.push(report);
    }
  }
  return found;
}

/** What reports call the message with a code to log in, which nobody keeps: they are passed by without a look into the database. */
export function otpReference(id: string): string {
  return `${OTP_PREFIX}${id}`;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{data: "<JSON>"}` is how the form version says it. */
function unwrapped(body: unknown): unknown {
  if (!isFields(body) || !('data' in body)) return body;
  if (typeof body.data !== 'string') return body.data;
  try {
    return JSON.parse(body.data);
  } catch {
    return null;
  }
}

function listOf(value: unknown): Fields[] {
  return (Array.isArray(value) ? value : [value]).filter(isFields);
}

function readReport(fields: Fields): DeliveryReport | null {
  const message = messageOf(fields);
  if (message === null) return null;
  const delivery = first(fields, ['status', 'desc', 'description', 'event'], (text) =>
    DELIVERIES.get(text.toLowerCase()),
  );
  if (delivery === undefined) return null;
  const reason =
    delivery === 'failed' ? first(fields, ['failedReason', 'failureReason', 'desc', 'description'], safeReason) : null;
  return { message, delivery, reason: reason ?? null };
}

function messageOf(fields: Fields): ReportedMessage | null {
  const isOtp = first(fields, ['CRQID', 'reference'], (text) => text.startsWith(OTP_PREFIX) || undefined);
  if (isOtp) return null;
  return (
    first(fields, ['CRQID', 'reference'], ourReference) ??
    first(fields, ['requestId', 'request_id', 'message_id'], (text): ReportedMessage | undefined =>
      MESSAGE_ID.test(text) ? { by: 'id', messageId: text } : undefined,
    ) ??
    null
  );
}

function ourReference(text: string): ReportedMessage | undefined {
  const [, payoutId, number] = VOUCHER.exec(text) ?? [];
  if (payoutId !== undefined) {
    // Beyond an int4 there is no such message.
    return Number(number) < 2 ** 31 ? { by: 'voucher', payoutId, number: Number(number) } : undefined;
  }
  const [, kind, subject] = NOTIFICATION.exec(text) ?? [];
  return subject === undefined ? undefined : { by: 'notification', kind: kind as NotificationKind, subject };
}

/** The first of the fields that is a text or number of which `read` makes something. */
function first<T>(fields: Fields, names: readonly string[], read: (text: string) => T | undefined): T | undefined {
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const made = read(String(value).trim());
    if (made !== undefined) return made;
  }
  return undefined;
}

/** Plain words only: no phone number and no voucher's code is ever kept. */
function safeReason(text: string): string | undefined {
  const words = text
    .slice(0, 400)
    .replace(/[^A-Za-z0-9 ]+/g, ' ')
    .split(' ')
    .filter((word) => word !== '' && (!/\d/.test(word) || /^\d{1,3}$/.test(word)))
    .join(' ')
    .slice(0, LONGEST_REASON)
    .trim();
  return words === '' ? undefined : words;
}
