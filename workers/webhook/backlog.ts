import { isTaken } from '@hissaback/shared/db/queries/reconciliation';
import type { Database } from '@hissaback/shared/db/types';
import type { Deps } from './deps.ts';
import { pause } from './pause.ts';

/** How many rows of one file may be in the queue before the books have them: some 40 MB. */
export const MOST_AHEAD = 20_000;
const LOOK_EVERY_MS = 1_000;
/** A message that is tried again later holds an upload up no longer than this. */
const LONGEST_WAIT_MS = 60_000;

/** Keeps whoever fills the ledger consumer's queue from running away from it: a local queue lives in memory, and Cloudflare's has a limit. */
export class Backlog {
  readonly #db: Database;
  readonly #deps: Pick<Deps, 'sleep'>;
  /** The last message of each batch that may not be in the books yet, oldest first. */
  #ahead: { readonly lastId: bigint; readonly count: number }[] = [];

  constructor(db: Database, deps: Pick<Deps, 'sleep'>) {
    this.#db = db;
    this.#deps = deps;
  }

  /** Notes a batch that was sent; waits while more than `MOST_AHEAD` messages are ahead of the books. */
  async sent(batch: { lastId: bigint; count: number }): Promise<void> {
    this.#ahead.push(batch);
    for (let waited = 0; this.#count() > MOST_AHEAD; ) {
      const [oldest] = this.#ahead;
      if (oldest === undefined) return;
      const isOver = waited >= LONGEST_WAIT_MS || (await this.#db.transaction((tx) => isTaken(tx, oldest.lastId)));
      if (isOver) {
        this.#ahead.shift();
        waited = 0;
      } else {
        await (this.#deps.sleep ?? pause)(LOOK_EVERY_MS);
        waited += LOOK_EVERY_MS;
      }
    }
  }

  #count(): number {
    return this.#ahead.reduce((sum, { count }) => sum + count, 0);
  }
}
