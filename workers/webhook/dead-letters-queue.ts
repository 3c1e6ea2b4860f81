import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { insertDeadLetters } from '@hissaback/shared/db/queries/dead-letters';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { createLog } from '@hissaback/shared/http/log';
import type { Deps } from './deps.ts';
import { retryDelay } from './retry.ts';

/** The queue that a dead-letter queue belongs to. */
function sourceOf(queue: string): string {
  return queue.replace(/-dlq$/, '');
}

/**
 * Keeps messages that no consumer could take: in PostgreSQL, or in R2 while PostgreSQL is down. Nothing is acknowledged unsaved (money rule
 * 18, fault 9); what R2 holds is brought home by the next run of `rematch`.
 */
export async function consumeDeadLetters(batch: MessageBatch, env: WebhookEnv, deps: Deps): Promise<void> {
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  const at = deps.clock.now();
  const letters = batch.messages.map((message) => ({
    id: mintUuid(deps.random),
    queue: sourceOf(batch.queue),
    messageId: message.id,
    body: message.body,
    attempts: message.attempts,
    reason: 'retries_exhausted',
    at,
  }));
  log.error('dead_letters', { queue: batch.queue, count: letters.length });
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    await db.transaction((tx) => insertDeadLetters(tx, letters));
    batch.ackAll();
  } catch (error) {
    log.error('dead_letters_to_r2', { queue: batch.queue, error });
    for (const [index, message] of batch.messages.entries()) {
      const letter = letters[index];
      try {
        await env.EVIDENCE.put(`dead-letters/${sourceOf(batch.queue)}/${message.id}.json`, JSON.stringify(letter));
        message.ack();
      } catch (cause) {
        log.error('dead_letter_unsaved', { message_id: message.id, error: cause });
        message.retry({ delaySeconds: retryDelay(message.attempts) });
      }
    }
  } finally {
    await db.end();
  }
}
