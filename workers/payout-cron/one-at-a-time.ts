import type { Database } from '@hissaback/shared/db/client';

/** A database whose transactions queue up instead of colliding: the lanes of a run share its one connection. */
export function oneAtATime(db: Database): Database {
  let last: Promise<unknown> = Promise.resolve();
  return {
    transaction(work, options) {
      const result = last.then(() => db.transaction(work, options));
      last = result.catch(() => undefined);
      return result;
    },
    end: () => db.end(),
  };
}
