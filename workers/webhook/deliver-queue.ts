import { parseWebhookMessage, type WebhookMessage } from '@hissaback/shared/contracts/webhooks';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import {
  type Attempt,
  beginAttempts,
  countFailures,
  disableFailing,
  type EndpointOutcome,
  endAttempts,
} from '@hissaback/shared/db/queries/webhook-delivery';
import type { Tx } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { isLastingFailure } from '@hissaback/shared/domain/webhook-schedule';
import { webhookTargets } from '@hissaback/shared/domain/webhook-target';
import { createLog, type Log } from '@hissaback/shared/http/log';
import { type Called, callEndpoint } from './deliver-call.ts';
import type { Deps } from './deps.ts';
import { retryDelay } from './retry.ts';

/** A Worker keeps six connections open at most, and one is the database's. */
const CALLS_AT_ONCE = 4;

/**
 * The consumer of the queue `webhooks`. The rows are the list of what is to do, a message only says that an attempt is due: a second copy of it finds the
 * attempt begun and does nothing, and one that is lost is sent again by the next sweep behind its lease.
 */
export async function consumeWebhooks(batch: MessageBatch, env: WebhookEnv, deps: Deps): Promise<void> {
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    const messages = readable(batch, log);
    const attempts = await db.transaction((tx) => beginAttempts(tx, { messages, at: new Date(deps.clock.now()) }));
    const results = await callAll(attempts, env, deps);
    await db.transaction((tx) => writeResults(tx, results, deps, log));
    batch.ackAll();
  } catch (error) {
    log.warn('batch_failed', { queue: batch.queue, size: batch.messages.length, error });
    for (const message of batch.messages) message.retry({ delaySeconds: retryDelay(message.attempts) });
  } finally {
    await db.end();
  }
}

function readable(batch: MessageBatch, log: Log): WebhookMessage[] {
  return batch.messages.flatMap((message) => {
    const body = parseWebhookMessage(message.body);
    // Its row, if it has one, is still due: nothing is lost with it.
    if (body === null) log.error('unreadable_message', { queue: batch.queue, message_id: message.id });
    return body ?? [];
  });
}

type Result = { attempt: Attempt; called: Called };

async function callAll(attempts: readonly Attempt[], env: WebhookEnv, deps: Deps): Promise<Result[]> {
  const resolver = { endpoint: env.DNS_ENDPOINT, fetch: deps.fetch };
  const keys = keyringFrom(env.WEBHOOK_KEYS, 'WEBHOOK_KEYS');
  const caller = { ...deps, targets: webhookTargets(env.WEBHOOK_TARGETS), resolver, keys };
  const waiting = attempts.toReversed();
  const results: Result[] = [];
  const worker = async (): Promise<void> => {
    for (let attempt = waiting.pop(); attempt !== undefined; attempt = waiting.pop()) {
      results.push({ attempt, called: await callEndpoint(attempt, caller) });
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, worker));
  return results;
}

async function writeResults(tx: Tx, results: readonly Result[], deps: Deps, log: Log): Promise<void> {
  if (results.length === 0) return;
  const at = new Date(deps.clock.now());
  const unreadable = results.filter(({ called }) => called.end.error === 'secret_unreadable');
  if (unreadable.length > 0) log.error('webhook_secret_unreadable', { count: unreadable.length });
  await endAttempts(tx, { ends: results.map(({ called }) => called.end), at });
  const failing = await countFailures(tx, { outcomes: outcomesOf(results), at });
  for (const { tenant_id, endpoint_id, failures, failing_since } of failing) {
    if (!isLastingFailure(failures, failing_since.getTime(), at.getTime())) continue;
    await disableFailing(tx, { tenant_id, endpoint_id, audit_id: mintId(deps.clock, deps.random), failures, at });
    log.warn('webhook_endpoint_disabled', { tenant_id, endpoint_id, failures });
  }
}

/** For each endpoint its failures since its last success, in the order in which the answers came. */
function outcomesOf(results: readonly Result[]): EndpointOutcome[] {
  const outcomes = new Map<string, EndpointOutcome>();
  for (const { attempt, called } of results) {
    if (!called.counts) continue;
    const { tenant_id, endpoint_id } = attempt;
    const before = outcomes.get(endpoint_id) ?? { tenant_id, endpoint_id, failures: 0, succeeded: false };
    outcomes.set(
      endpoint_id,
      called.end.delivered ? { ...before, failures: 0, succeeded: true } : { ...before, failures: before.failures + 1 },
    );
  }
  return [...outcomes.values()];
}
