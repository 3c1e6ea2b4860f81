import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import { clickIdTime, mintId, parseClickId } from '@hissaback/shared/domain/click-id';
import { verifyClickReference } from '@hissaback/shared/domain/click-reference';
import { isOneOf } from '@hissaback/shared/domain/constant-time';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { type Refusal, readPostback } from '@hissaback/shared/domain/postback';
import { parseAllowlist } from '@hissaback/shared/http/allowlist';
import { clientAddress } from '@hissaback/shared/http/client-address';
import { ProblemError } from '@hissaback/shared/http/problem';
import type { Deps } from './deps.ts';
import { keepInInbox } from './inbox.ts';
import { evidenceOf, readParameters } from './postback-parameters.ts';

/** A bare number whose click would be older than this is no click id: no window or rotation reaches that far. */
const OLDEST_BARE_CLICK_MS = 400 * 86_400_000;

/**
 * POST or GET /v1/events/conversion (the spec's row 8). Authenticates by address and token, reads, queues, answers: a 200 means that the
 * postback is stored, ignored ones included. The token is a header or a parameter; it is one of several, so that it can be rotated. If the queue refuses, the error goes up as 503, so that the network sends it again (fault 4).
 */
export async function takePostback(request: Request, env: WebhookEnv, deps: Deps): Promise<Response> {
  if (!parseAllowlist(env.TRACKIER_ALLOWLIST).has(clientAddress(request.headers)))
    throw new ProblemError('forbidden', { detail: 'This address may not send postbacks.' });
  const { values, isClean } = await readParameters(request);
  const tokens = env.WEBHOOK_TOKENS.split(',').filter((token) => token !== '');
  const given = request.headers.get('x-hissaback-token') ?? values.get('token') ?? '';
  if (given === '' || !(await isOneOf(given, tokens)))
    throw new ProblemError('unauthenticated', { detail: 'The token is missing or wrong.' });
  const raw = evidenceOf(values, tokens);
  const postback_id = String(mintId(deps.clock, deps.random));
  const refusal = isClean ? await refusalOf(raw, env, deps) : 'unreadable';
  const message: PostbackMessage =
    refusal === null
      ? { kind: 'event', postback_id, source: 'postback', raw }
      : { kind: 'ignored', postback_id, source: 'postback', raw, reason: refusal };
  try {
    await keepInInbox(env, message);
    await env.POSTBACKS.send(message);
  } catch {
    throw new ProblemError('unavailable', { detail: 'Send it again.', headers: { 'retry-after': '5' } });
  }
  return Response.json(refusal === null ? { status: 'ok' } : { status: 'ok', ignored: true }, {
    headers: { 'cache-control': 'no-store' },
  });
}

/** Why this cannot be a conversion, as far as that shows without asking the database. */
async function refusalOf(raw: Record<string, string>, env: WebhookEnv, deps: Deps): Promise<Refusal | null> {
  const reading = readPostback(raw);
  if (!reading.ok) return reading.reason;
  const click = reading.report.click ?? '';
  const now = deps.clock.now();
  const bare = parseClickId(click, now);
  if (bare !== null) return now - clickIdTime(bare) > OLDEST_BARE_CLICK_MS ? 'unknown_click' : null;
  const reference = await verifyClickReference(keyringFrom(env.REFERENCE_KEYS, 'REFERENCE_KEYS'), click, now);
  return reference.ok ? null : 'unknown_click';
}
