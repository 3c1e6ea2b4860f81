import {
  claimReplays,
  dropReplays,
  markReplayed,
  type ReplayableLetter,
} from '@hissaback/shared/db/queries/dead-letters';
import type { Database } from '@hissaback/shared/db/types';
import { createLog } from '@hissaback/shared/http/log';
import type { Deps } from './deps.ts';

const BATCH = 100;
/** The most that one run sends back; the next one goes on. */
const MOST_BATCHES = 50;

/**
 * Sends the dead letters whose replay was asked for back to their queues, and marks them resolved. Should the mark be lost, they are sent again:
 * their consumers take a message once, by the postback's or click's own id (fault 33). What fails again comes back as a new dead letter.
 */
export async function replayDeadLetters(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
): Promise<{ replayed: number; more: number }> {
  let replayed = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const count = await db.transaction(async (tx) => {
      const letters = await claimReplays(tx, BATCH);
      const sent: string[] = [];
      for (const [queue, group] of Map.groupBy(letters, (letter) => letter.queue)) {
        const producer = producerOf(env, queue);
        if (producer === undefined) continue;
        await producer.sendBatch(group.map(({ body }) => ({ body })));
        sent.push(...group.map(idOf));
      }
      const stuck = letters.map(idOf).filter((id) => !sent.includes(id));
      if (stuck.length > 0) {
        createLog({ clock: deps.clock, service: 'webhook' }).error('dead_letters_without_queue', {
          count: stuck.length,
        });
        await dropReplays(tx, stuck);
      }
      await markReplayed(tx, sent, deps.clock.now());
      replayed += sent.length;
      return letters.length;
    });
    if (count < BATCH) return { replayed, more: 0 };
  }
  return { replayed, more: 1 };
}

function producerOf(env: WebhookEnv, queue: string): Queue | undefined {
  if (queue === 'hissaback-postbacks') return env.POSTBACKS;
  if (queue === 'hissaback-webhooks') return env.WEBHOOKS;
  return queue === 'hissaback-clicks' ? env.CLICKS : undefined;
}

function idOf(letter: ReplayableLetter): string {
  return letter.dead_letter_id;
}
