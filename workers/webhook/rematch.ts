import { unmatchedWithClick } from '@hissaback/shared/db/queries/click-intake';
import { type DeadLetter, insertDeadLetters } from '@hissaback/shared/db/queries/dead-letters';
import type { Database } from '@hissaback/shared/db/types';
import { sendAgain } from './clicks-queue.ts';
import type { Deps } from './deps.ts';

/** The most that one run sends again; the next one goes on. */
const LIMIT = 1_000;

/**
 * Catches up on what a crash may have lost: unmatched postbacks whose click has arrived are sent to the consumer again, and dead
 * letters that had to be kept in R2 are brought home.
 */
export async function rematch(db: Database, env: WebhookEnv, _deps: Deps): Promise<Record<string, number>> {
  const waiting = await db.transaction((tx) => unmatchedWithClick(tx, LIMIT));
  await sendAgain(env, waiting);
  let letters = 0;
  const { objects } = await env.EVIDENCE.list({ prefix: 'dead-letters/', limit: LIMIT });
  for (const { key } of objects) {
    const letter = await (await env.EVIDENCE.get(key))?.json<DeadLetter>();
    if (letter === undefined) continue;
    await db.transaction((tx) => insertDeadLetters(tx, [letter]));
    await env.EVIDENCE.delete(key);
    letters += 1;
  }
  return { rematched: waiting.length, dead_letters: letters };
}
