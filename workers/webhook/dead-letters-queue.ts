import { parseClickMessage } from '@hissaback/shared/contracts/click-message';
import { parsePostbackMessage } from '@hissaback/shared/contracts/postback-message';
import { parseWebhookMessage } from '@hissaback/shared/contracts/webhooks';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { type DeadLetter, insertDeadLetters } from '@hissaback/shared/db/queries/dead-letters';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { createLog } from '@hissaback/shared/http/log';
import { pageAboutRest, putAtRest } from './dead-letters-at-rest.ts';
import type { Deps } from './deps.ts';
import { retryDelay } from './retry.ts';
import { watchDeadLetters } from './watch-dead-letters.ts';

/** How often a message of a queue was tried before it became a dead letter: its `max_retries` in wrangler.toml, and the first time. */
export const SOURCE_ATTEMPTS: Readonly<Record<string, number>> = {
  'hissaback-postbacks': 101,
  'hissaback-clicks': 101,
  'hissaback-webhooks': 11,
};

const PARSERS: Readonly<Record<string, (body: unknown) => unknown>> = {
  'hissaback-postbacks': parsePostbackMessage,
  'hissaback-clicks': parseClickMessage,
  'hissaback-webhooks': parseWebhookMessage,
};

/** The queue that a dead-letter queue belongs to. */
function sourceOf(queue: string): string {
  return queue.replace(/-dlq$/, '');
}

function isReadable(queue: string, body: unknown): boolean {
  return (PARSERS[queue]?.(body) ?? null) !== null;
}

/**
 * Keeps messages that no consumer could take: in PostgreSQL, or in R2 while PostgreSQL is down. Nothing is acknowledged unsaved (money rule
 * 18, fault 9); what R2 holds is brought home by the next run of `rematch`.
 */
export async function consumeDeadLetters(batch: MessageBatch, env: WebhookEnv, deps: Deps): Promise<void> {
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  const at = deps.clock.now();
  const letters = batch.messages.map(
    (message): DeadLetter => ({
      id: mintUuid(deps.random),
      queue: sourceOf(batch.queue),
      messageId: message.id,
      body: message.body,
      attempts: SOURCE_ATTEMPTS[sourceOf(batch.queue)] ?? 1,
      reason: isReadable(sourceOf(batch.queue), message.body) ? 'retries_exhausted' : 'unreadable_message',
      at,
    }),
  );
  log.error('dead_letters', { queue: batch.queue, count: letters.length });
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    await db.transaction((tx) => insertDeadLetters(tx, letters));
    batch.ackAll();
    await watchDeadLetters(db, env, deps).catch((error) => log.error('dead_letters_unwatched', { error }));
  } catch (error) {
    log.error('dead_letters_to_r2', { queue: batch.queue, error });
    await keepAtRest(batch, letters, env, deps);
  } finally {
    await db.end();
  }
}

async function keepAtRest(
  batch: MessageBatch,
  letters: readonly DeadLetter[],
  env: WebhookEnv,
  deps: Deps,
): Promise<void> {
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  for (const [index, message] of batch.messages.entries()) {
    const letter = letters[index];
    try {
      if (letter !== undefined) await putAtRest(env, letter);
      message.ack();
    } catch (cause) {
      log.error('dead_letter_unsaved', { message_id: message.id, error: cause });
      message.retry({ delaySeconds: retryDelay(message.attempts) });
    }
  }
  await pageAboutRest(env, deps).catch((cause) => log.error('page_not_delivered', { error: cause }));
}
