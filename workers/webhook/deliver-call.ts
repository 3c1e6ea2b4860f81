import { type Resolver, resolve } from '@hissaback/shared/clients/dns';
import type { Attempt, AttemptEnd } from '@hissaback/shared/db/queries/webhook-delivery';
import type { Keyring } from '@hissaback/shared/domain/keyring';
import { nextAttemptDelay } from '@hissaback/shared/domain/webhook-schedule';
import { openWebhookSecret } from '@hissaback/shared/domain/webhook-secret';
import { webhookHeaders } from '@hissaback/shared/domain/webhook-signature';
import { isPublicAddress, nameIn, targetRefusal, type WebhookTargets } from '@hissaback/shared/domain/webhook-target';
import type { Deps } from './deps.ts';

/** How long an endpoint may take for its whole answer, in milliseconds. */
export const DELIVERY_TIMEOUT_MS = 10_000;
const KEPT_BYTES = 1_024;
/** After what is no fault of the endpoint's: a resolver that is down, a key that is not there. */
const OURS_RETRY_MS = 5 * 60_000;

export type Caller = Deps & { targets: WebhookTargets; resolver: Resolver; keys: Keyring };

/** How an attempt ended, and whether it says anything of the endpoint. */
export type Called = { end: AttemptEnd; counts: boolean };

type Answer = { status: number | null; body: string | null; error: string | null };

/** Sends an event to its endpoint, signed; follows no redirect, and keeps at most a kilobyte of the answer. Never throws. */
export async function callEndpoint(attempt: Attempt, caller: Caller): Promise<Called> {
  const began = caller.clock.now();
  const secrets = await secretsOf(attempt, caller);
  const refusal = secrets === null ? SECRET_UNREADABLE : await refusalOf(attempt.url, caller);
  const answer: Answer =
    refusal === null ? await send(attempt, secrets ?? [], caller) : { status: null, body: null, error: refusal };
  const now = caller.clock.now();
  const delivered = answer.status !== null && answer.status >= 200 && answer.status < 300;
  const isOurs = refusal === RESOLVER_DOWN || refusal === SECRET_UNREADABLE;
  const delay = isOurs ? OURS_RETRY_MS : nextAttemptDelay(attempt.attempt);
  return {
    counts: !isOurs,
    end: {
      delivery_id: attempt.delivery_id,
      attempt: attempt.attempt,
      delivered,
      next: delivered || delay === null ? null : new Date(now + delay),
      response_status: answer.status,
      response_body: answer.body,
      error: answer.error,
      duration_ms: Math.max(0, Math.round(now - began)),
    },
  };
}

const RESOLVER_DOWN = 'resolver_unavailable';
const SECRET_UNREADABLE = 'secret_unreadable';

/** What signs the message, or null if the ring lacks a key. */
async function secretsOf(attempt: Attempt, { keys }: Caller): Promise<string[] | null> {
  try {
    return await Promise.all(attempt.secrets.map((kept) => openWebhookSecret(kept, attempt, keys)));
  } catch {
    return null;
  }
}

/** Asked at every attempt: a name that was public yesterday may lead into a private network today. */
async function refusalOf(url: string, { targets, resolver }: Caller): Promise<string | null> {
  if (targetRefusal(url, targets) !== null) return 'target_not_allowed';
  const name = nameIn(url);
  if (targets === 'any' || name === null || resolver.endpoint === '') return null;
  const answers = await Promise.all([resolve(resolver, name, 'A'), resolve(resolver, name, 'AAAA')]);
  if (answers.includes(null)) return RESOLVER_DOWN;
  const addresses = answers.flatMap((answer) => answer ?? []);
  if (addresses.length === 0) return 'name_not_found';
  return addresses.every(isPublicAddress) ? null : 'target_not_allowed';
}

async function send(attempt: Attempt, secrets: readonly string[], { clock, fetch }: Caller): Promise<Answer> {
  const body = messageOf(attempt);
  const timestamp = Math.floor(clock.now() / 1000);
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), DELIVERY_TIMEOUT_MS);
  try {
    const response = await fetch(attempt.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Hissaback-Webhooks/1.0',
        ...(await webhookHeaders(secrets, { id: attempt.event_id, timestamp, body })),
      },
      body,
      signal: aborter.signal,
    });
    const isGood = response.status >= 200 && response.status < 300;
    return { status: response.status, body: await beginningOf(response), error: isGood ? null : 'not_accepted' };
  } catch {
    return { status: null, body: null, error: aborter.signal.aborted ? 'timeout' : 'unreachable' };
  } finally {
    clearTimeout(timer);
  }
}

/** What is sent: the same bytes at every attempt. It names no shopper. */
export function messageOf(attempt: Attempt): string {
  return JSON.stringify({
    type: attempt.type,
    timestamp: attempt.occurred_at.toISOString(),
    data: {
      ...attempt.data,
      link_id: attempt.link_id,
      campaign_id: attempt.campaign_id,
      offer_id: attempt.offer_id,
      order_value: attempt.order_value,
      created_at: attempt.conversion_at.toISOString(),
    },
  });
}

async function beginningOf(response: Response): Promise<string | null> {
  if (response.body === null) return null;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let size = 0; size < KEPT_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    text += decoder.decode(value.subarray(0, KEPT_BYTES), { stream: true });
  }
  await reader.cancel();
  // PostgreSQL takes no NUL, and no half of a character.
  const kept = text.slice(0, KEPT_BYTES).toWellFormed().replaceAll('\0', '');
  return kept === '' ? null : kept;
}
