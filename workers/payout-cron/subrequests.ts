import type { PayoutDeps } from './deps.ts';

/** A Worker's invocation has 10,000 subrequests; the rest is for what is under way, pages and messages. */
export const MOST_SUBREQUESTS = 8_000;

/**
 * Counts what leaves the worker: calls, questions to the gate, objects of R2, and a database transaction as one (over Hyperdrive it is none, so that
 * is on the safe side).
 */
export function countSubrequests(deps: PayoutDeps): { counted: PayoutDeps; isUsedUp: () => boolean } {
  const { gate, evidence, db, fetch } = deps;
  let used = 0;
  const counted = <Given extends unknown[], Answer>(ask: (...given: Given) => Answer) => {
    return (...given: Given): Answer => {
      used += 1;
      return ask(...given);
    };
  };
  return {
    counted: {
      ...deps,
      fetch: counted(fetch),
      db: {
        transaction: (work, options) => {
          used += 1;
          return db.transaction(work, options);
        },
        end: () => db.end(),
      },
      gate: {
        acquire: counted((...given) => gate.acquire(...given)),
        withdraw: counted((...given) => gate.withdraw(...given)),
        report: counted((...given) => gate.report(...given)),
        status: counted((...given) => gate.status(...given)),
        claimPage: counted((...given) => gate.claimPage(...given)),
        pageSent: counted(() => gate.pageSent()),
      },
      evidence: {
        put: counted((...given) => evidence.put(...given)),
        get: counted((...given) => evidence.get(...given)),
        list: counted((...given) => evidence.list(...given)),
      },
    },
    isUsedUp: () => used >= MOST_SUBREQUESTS,
  };
}
