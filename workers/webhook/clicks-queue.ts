import { type ClickMessage, parseClickMessage } from '@hissaback/shared/contracts/click-message';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import type { Database } from '@hissaback/shared/db/types';
import { createLog } from '@hissaback/shared/http/log';
import { takeClicks } from './click-consumer.ts';
import type { Deps } from './deps.ts';
import { judgeAgain } from './late-clicks.ts';
import { retryDelay } from './retry.ts';
import { sendAgain } from './send-again.ts';

type Work = { message: Message<unknown>; click: ClickMessage };

/** The click consumer: a batch in one transaction; if that fails, each click alone. Postbacks that waited for a click are sent on. */
export async function consumeClicks(batch: MessageBatch, env: WebhookEnv, deps: Deps): Promise<void> {
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  const work: Work[] = [];
  for (const message of batch.messages) {
    const click = parseClickMessage(message.body);
    if (click !== null) work.push({ message, click });
    else {
      log.error('unreadable_message', { queue: batch.queue, message_id: message.id });
      message.retry({ delaySeconds: retryDelay(message.attempts) });
    }
  }
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    await store(db, work, env, deps);
    for (const { message } of work) message.ack();
  } catch (error) {
    log.warn('batch_failed', { queue: batch.queue, size: work.length, error });
    for (const one of work) {
      try {
        await store(db, [one], env, deps);
        one.message.ack();
      } catch (cause) {
        log.warn('message_failed', { message_id: one.message.id, attempts: one.message.attempts, error: cause });
        one.message.retry({ delaySeconds: retryDelay(one.message.attempts) });
      }
    }
  } finally {
    await db.end();
  }
}

async function store(db: Database, work: readonly Work[], env: WebhookEnv, deps: Deps): Promise<void> {
  if (work.length === 0) return;
  const now = deps.clock.now();
  const { waiting, overtaken } = await db.transaction((tx) =>
    takeClicks(
      tx,
      work.map(({ click }) => click),
      { random: deps.random, now },
    ),
  );
  // Behind the commit, so that no lock on a click is held while conversions are locked; a crash in between delivers the batch again.
  if (overtaken.length > 0) await db.transaction((tx) => judgeAgain(tx, overtaken, now));
  // Should this be lost, the next run of `rematch` sends them.
  await sendAgain(env, waiting);
}
