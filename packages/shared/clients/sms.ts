/** How long the gateway may take, in milliseconds. */
export const SMS_TIMEOUT_MS = 6_000;

const MAX_REPLY_BYTES = 16_384;

export type SmsGateway = {
  /** Origin of the gateway, for example `https://control.msg91.com`. */
  endpoint: string;
  authKey: string;
  fetch: (input: string, init: RequestInit) => Promise<Response>;
  /** Registered header (DLT) that the message comes from. */
  sender: string;
  /** Registered principal entity (DLT). */
  entityId: string;
};

export type Sms = {
  /** E.164. */
  to: string;
  text: string;
  kind: 'otp' | 'voucher' | 'tracked' | 'confirmed' | 'paid' | 'reversed';
  /** Registered template (DLT) that the text follows. */
  templateId: string;
  /** Ours; the gateway's reports carry it. */
  reference: string;
};

export type SmsResult =
  /** Accepted, which is not arrived. The gateway's id is empty where it gave none. */
  | { ok: true; id: string }
  | {
      ok: false;
      /** True if the same message may go through later. */
      retryable: boolean;
      /** True if nothing was sent for certain; false after a silence, when the message may arrive all the same. */
      notSent: boolean;
      reason:
        | 'not_configured'
        | 'refused'
        | 'unauthorized'
        | 'busy'
        | 'gateway_error'
        | 'timeout'
        | 'unreachable'
        | 'bad_reply';
    };

/** Hands a message to the gateway (MSG91's flow API). Never throws; neither phone nor text is in what it answers. */
export async function sendSms(gateway: SmsGateway, message: Sms): Promise<SmsResult> {
  if (gateway.endpoint === '' || message.templateId === '')
    return { ok: false, retryable: false, notSent: true, reason: 'not_configured' };
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), SMS_TIMEOUT_MS);
  try {
    const response = await gateway.fetch(`${gateway.endpoint.replace(/\/+$/, '')}/api/v5/flow`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', accept: 'application/json', authkey: gateway.authKey },
      body: JSON.stringify({
        template_id: message.templateId,
        sender: gateway.sender,
        entity_id: gateway.entityId,
        mobile: message.to.replace(/^\+/, ''),
        kind: message.kind,
        text: message.text,
        reference: message.reference,
        // What MSG91 calls the client's own reference, which its reports carry.
        CRQID: message.reference,
      }),
      signal: aborter.signal,
    });
    return outcomeOf(response.status, await response.text());
  } catch {
    return aborter.signal.aborted
      ? { ok: false, retryable: true, notSent: false, reason: 'timeout' }
      : { ok: false, retryable: true, notSent: false, reason: 'unreachable' };
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf(status: number, text: string): SmsResult {
  if (status === 401 || status === 403) return { ok: false, retryable: false, notSent: true, reason: 'unauthorized' };
  if (status === 429) return { ok: false, retryable: true, notSent: true, reason: 'busy' };
  if (status >= 500) return { ok: false, retryable: true, notSent: false, reason: 'gateway_error' };
  const reply = parseReply(text);
  if (reply?.type === 'error' || status >= 300)
    return { ok: false, retryable: false, notSent: true, reason: 'refused' };
  if (reply?.type === 'success') return { ok: true, id: idOf(reply.message) };
  return { ok: false, retryable: true, notSent: false, reason: 'bad_reply' };
}

/** A gateway's id is kept only if it looks like one. */
function idOf(text: string): string {
  return /^[\x21-\x7e]{1,100}$/.test(text) ? text : '';
}

function parseReply(text: string): { type: 'success' | 'error'; message: string } | null {
  if (text.length > MAX_REPLY_BYTES) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { type, message } = value as Readonly<Record<string, unknown>>;
  if (type !== 'success' && type !== 'error') return null;
  return { type, message: typeof message === 'string' ? message.slice(0, 100) : '' };
}
