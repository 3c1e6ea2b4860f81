import { type PostbackMessage, parsePostbackMessage } from '@hissaback/shared/contracts/postback-message';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { isLockTimeout } from '@hissaback/shared/db/errors';
import type { Database } from '@hissaback/shared/db/types';
import { clickIdTime } from '@hissaback/shared/domain/click-id';
import { readNetworkRow, readPostback } from '@hissaback/shared/domain/postback';
import { createLog } from '@hissaback/shared/http/log';
import { askVelocity } from './ask-velocity.ts';
import { claimRewards } from './claim-rewards.ts';
import { queueDueWebhooks } from './deliver-sweep.ts';
import type { Deps } from './deps.ts';
import { clearInbox } from './inbox.ts';
import type { Ignored, Taken } from './intake-batch.ts';
import { takeBatch } from './ledger-consumer.ts';
import { pursueClaim } from './pursue-claim.ts';
import { readClick } from './read-click.ts';
import { retryDelay } from './retry.ts';
import { settingsOf } from './settings.ts';

/**
 * A batch that did not get its locks in time is delivered again whole, so often: a hundred messages that wait one by one for the same click would outlast
 * the consumer.
 */
const PATIENT_ATTEMPTS = 3;

type Work = { message: Message<unknown>; body: PostbackMessage };

/**
 * The ledger consumer: a whole batch in one transaction, acknowledged only after its commit. If the batch fails, each message is tried
 * alone, so that a poisoned one never holds up its neighbours; what fails alone is delivered again later, and in the end becomes a dead letter.
 */
export async function consumePostbacks(batch: MessageBatch, env: WebhookEnv, deps: Deps): Promise<void> {
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  const work: Work[] = [];
  for (const message of batch.messages) {
    const body = parsePostbackMessage(message.body);
    if (body !== null) work.push({ message, body });
    else {
      log.error('unreadable_message', { queue: batch.queue, message_id: message.id });
      message.retry({ delaySeconds: retryDelay(message.attempts) });
    }
  }
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    const isListenedTo = await takeTogether(db, work, env, deps);
    for (const { message } of work) message.ack();
    await clear(work, env, log);
    if (isListenedTo) await tell(db, env, deps, log);
  } catch (error) {
    log.warn('batch_failed', { queue: batch.queue, size: work.length, error });
    let isListenedTo = false;
    if (isLockTimeout(error) && work.every(({ message }) => message.attempts <= PATIENT_ATTEMPTS))
      for (const { message } of work) message.retry({ delaySeconds: retryDelay(message.attempts) });
    else for (const one of work) isListenedTo = (await takeAlone(db, one, env, deps, log)) || isListenedTo;
    if (isListenedTo) await tell(db, env, deps, log);
  } finally {
    await db.end();
  }
}

/** True if it was taken and a tenant's server is to be told of it. */
async function takeAlone(
  db: Database,
  one: Work,
  env: WebhookEnv,
  deps: Deps,
  log: ReturnType<typeof createLog>,
): Promise<boolean> {
  try {
    const isListenedTo = await takeTogether(db, [one], env, deps);
    one.message.ack();
    await clear([one], env, log);
    return isListenedTo;
  } catch (error) {
    log.warn('message_failed', { message_id: one.message.id, attempts: one.message.attempts, error });
    one.message.retry({ delaySeconds: retryDelay(one.message.attempts) });
    return false;
  }
}

async function clear(work: readonly Work[], env: WebhookEnv, log: ReturnType<typeof createLog>): Promise<void> {
  await clearInbox(
    env,
    work.map(({ body }) => body),
  ).catch((error: unknown) => log.warn('inbox_not_cleared', { size: work.length, error }));
}

/**
 * Has tenants' servers told of what the batch made without waiting for the next sweep, which tells of what is left. One statement whatever the batch's
 * size, and none at all where nobody listens: the statement that wrote the batch has said so.
 */
async function tell(db: Database, env: WebhookEnv, deps: Deps, log: ReturnType<typeof createLog>): Promise<void> {
  await queueDueWebhooks(db, env, deps, 1).catch((error: unknown) => log.warn('webhooks_not_queued', { error }));
}

/** True if a tenant's server is to be told of what was written. */
async function takeTogether(db: Database, work: readonly Work[], env: WebhookEnv, deps: Deps): Promise<boolean> {
  const settings = settingsOf(env);
  const bodies = work.map(({ body }) => body);
  const { events, ignored } = await readEvents(bodies, env);
  const running = { settings, random: deps.random, now: deps.clock.now() };
  let isListenedTo = false;
  if (events.length + ignored.length > 0) {
    const context = { ...running, velocity: await askVelocity(events, env) };
    ({ isListenedTo } = await db.transaction((tx) => takeBatch(tx, { events, ignored }, context)));
  }
  for (const body of bodies) {
    if (body.kind === 'claim')
      await db.transaction((tx) => claimRewards(tx, { visitorId: body.visitor_id, userId: body.user_id }, running));
    else if (body.kind === 'missing_cashback') await pursueClaim(db, env, body.claim_id, running);
  }
  return isListenedTo;
}

/** Reads what the messages say and verifies their references: nothing of this needs the database. */
async function readEvents(
  bodies: readonly PostbackMessage[],
  env: WebhookEnv,
): Promise<{ events: Taken[]; ignored: Ignored[] }> {
  const events: Taken[] = [];
  const ignored: Ignored[] = [];
  for (const body of bodies) {
    if (body.kind !== 'event' && body.kind !== 'ignored') continue;
    const postbackId = BigInt(body.postback_id);
    const { source, raw } = body;
    const isPostback = source === 'postback' || source === 'operator';
    const reading = isPostback ? readPostback(raw) : readNetworkRow(raw);
    if (body.kind === 'ignored' || !reading.ok) {
      ignored.push({
        postbackId,
        source,
        raw,
        reason: body.kind === 'ignored' ? body.reason : reading.ok ? '' : reading.reason,
      });
      continue;
    }
    const receivedAt = clickIdTime(postbackId);
    const click = reading.report.click === null ? null : await readClick(reading.report.click, env, receivedAt);
    if (click === null && reading.report.click !== null && isPostback)
      ignored.push({ postbackId, source, raw, reason: 'unknown_click' });
    else
      events.push({
        postbackId,
        receivedAt,
        mayRaise: source !== 'postback',
        report: reading.report,
        click,
        source,
        raw,
      });
  }
  return { events, ignored };
}
