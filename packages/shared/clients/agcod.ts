import { AwsV4Signer } from 'aws4fetch';
import type { AgcodAnswer, CardRequest } from '../domain/agcod-outcome.ts';
import type { Clock } from '../domain/chance.ts';
import { formatPaise, type Paise, parseNetworkAmount } from '../domain/money.ts';

/** Amazon's own limit for a call, in milliseconds. */
export const AGCOD_TIMEOUT_MS = 6_000;

const SERVICE = 'AGCODService';
const LONGEST_ANSWER = 65_536;

/** Where and as whom to call; a payout's own values, written when it was reserved. */
export type AgcodAccount = { readonly endpoint: string; readonly region: string; readonly partnerId: string };
export type AgcodCredentials = { readonly accessKeyId: string; readonly secretAccessKey: string };
export type AgcodIo = {
  readonly fetch: (input: URL, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  /** Milliseconds until an answer is given up. */
  readonly timeoutMs: number;
};

/**
 * Asks for a gift card: the same creationRequestId always means the same card. Never throws: what is not an answer is a silence, and a silence says
 * nothing about the card. The answer carries the claim code: never log it.
 */
export function createGiftCard(
  account: AgcodAccount,
  credentials: AgcodCredentials,
  request: CardRequest,
  io: AgcodIo,
): Promise<AgcodAnswer> {
  const id = JSON.stringify(request.creationRequestId);
  const value = `{"currencyCode":${JSON.stringify(request.currency)},"amount":${formatPaise(request.amount)}}`;
  // Written by hand, because a JSON number made from a bigint would have to pass through floating point.
  const body = `{"creationRequestId":${id},"partnerId":${JSON.stringify(account.partnerId)},"value":${value}}`;
  return call('CreateGiftCard', account, credentials, body, io);
}

/**
 * Asks to cancel a card, which Amazon does within 15 minutes of its making and before it is used. True once it is cancelled; false says nothing: ask for
 * the card again by its creationRequestId to learn what became of it.
 */
export async function cancelGiftCard(
  account: AgcodAccount,
  credentials: AgcodCredentials,
  card: { creationRequestId: string; gcId: string },
  io: AgcodIo,
): Promise<boolean> {
  const { creationRequestId, gcId } = card;
  const body = JSON.stringify({ creationRequestId, partnerId: account.partnerId, gcId });
  const answer = await call('CancelGiftCard', account, credentials, body, io);
  if (answer.kind === 'silence') return false;
  const said = answer.body as { status?: unknown; gcId?: unknown } | null;
  return said?.status === 'SUCCESS' && said.gcId === gcId;
}

/** The partner's balance in paise, or null if it could not be learnt. */
export async function availableFunds(
  account: AgcodAccount,
  credentials: AgcodCredentials,
  io: AgcodIo,
): Promise<Paise | null> {
  const body = JSON.stringify({ partnerId: account.partnerId });
  const answer = await call('GetAvailableFunds', account, credentials, body, io);
  if (answer.kind === 'silence') return null;
  const amount = (answer.body as { availableFunds?: { amount?: unknown } } | null)?.availableFunds?.amount;
  return typeof amount === 'number' ? parseNetworkAmount(String(amount)) : null;
}

async function call(
  operation: string,
  account: AgcodAccount,
  credentials: AgcodCredentials,
  body: string,
  { fetch, clock, timeoutMs }: AgcodIo,
): Promise<AgcodAnswer> {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), timeoutMs);
  try {
    const signed = await sign(operation, account, credentials, body, clock.now());
    const response = await fetch(signed.url, {
      method: 'POST',
      headers: signed.headers,
      body,
      redirect: 'manual',
      signal: aborter.signal,
    });
    return readAnswer(await response.text());
  } catch {
    return { kind: 'silence', reason: aborter.signal.aborted ? 'timeout' : 'network' };
  } finally {
    clearTimeout(timer);
  }
}

/** SigV4 over the headers that Amazon's own sample signs: accept, content-type, host, x-amz-date, x-amz-target. */
function sign(operation: string, account: AgcodAccount, credentials: AgcodCredentials, body: string, now: number) {
  const signer = new AwsV4Signer({
    ...credentials,
    method: 'POST',
    url: new URL(`/${operation}`, account.endpoint).href,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'x-amz-target': `com.amazonaws.agcod.${SERVICE}.${operation}`,
    },
    body,
    service: SERVICE,
    region: account.region,
    datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    allHeaders: true,
  });
  return signer.sign();
}

function readAnswer(text: string): AgcodAnswer {
  if (text.length > LONGEST_ANSWER) return { kind: 'silence', reason: 'unreadable' };
  try {
    return { kind: 'body', body: JSON.parse(text) };
  } catch {
    return { kind: 'silence', reason: 'unreadable' };
  }
}
