import { deleteFreeLocks } from '@hissaback/shared/db/queries/intake';
import type { Database } from '@hissaback/shared/db/types';

const BATCH = 5_000;
const MOST_BATCHES = 2_000;

/** Throws away what nobody needs any more: row locks of clicks, visitors, shoppers and orders that nobody holds. Whoever needs one again makes it again. */
export async function tidy(db: Database): Promise<Record<string, number>> {
  let locks = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const deleted = await db.transaction((tx) => deleteFreeLocks(tx, BATCH));
    locks += deleted;
    if (deleted < BATCH) break;
  }
  return { locks };
}
