import type { ClickMessage } from '@hissaback/shared/contracts/click-message';
import { insertClicks, unmatchedOfClicks } from '@hissaback/shared/db/queries/click-intake';
import type { Tx } from '@hissaback/shared/db/types';
import type { Waiting } from '@hissaback/shared/domain/assignment';
import type { Random } from '@hissaback/shared/domain/chance';
import { overtakenClicks } from './late-clicks.ts';

/** How often a colliding click is given the next id before its batch is tried again. */
const COLLISIONS = 8;

/**
 * Stores a batch of clicks, set-based and idempotent: the same message again changes nothing. A click whose id another click already has
 * (1 in 4 million within one millisecond) is stored under the next free id with the reference's beside it, so that it still counts; the
 * reference decides whose conversion it is (money rule 7).
 * @returns postbacks that waited for one of these clicks, and clicks that a conversion overtook
 */
export async function takeClicks(
  tx: Tx,
  clicks: readonly ClickMessage[],
  context: { random: Random; now: number },
): Promise<{ stored: number; waiting: Waiting[]; overtaken: bigint[] }> {
  const [shard = 0] = context.random.bytes(1);
  let todo = clicks.map((click) => ({ click, id: BigInt(click.click_id) })).sort((a, b) => (a.id < b.id ? -1 : 1));
  let stored = 0;
  for (let round = 0; todo.length > 0 && round < COLLISIONS; round++) {
    const outcome = await insertClicks(tx, todo, shard % 16);
    stored += outcome.stored;
    todo = [...outcome.again, ...outcome.collided.map((entry) => ({ click: entry.click, id: entry.id + 1n }))];
  }
  if (todo.length > 0) throw new Error('a click found no free id');
  const clickIds = clicks.map((click) => BigInt(click.click_id));
  return { stored, waiting: await unmatchedOfClicks(tx, clickIds), overtaken: await overtakenClicks(tx, clickIds) };
}
