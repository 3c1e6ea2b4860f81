import type { PayoutDeps } from './deps.ts';
import { checkFunds } from './funds.ts';
import { findLostPurchases } from './restored.ts';
import { beginRun, noCounts, type PayoutCounts } from './run.ts';
import { sendSoft } from './send.ts';

/** There is one night for all that failed by day. */
const TIMES_A_REGULAR_RUN = 20;

/** Asks once more, with the same id, for every payout that ten attempts could not settle (spec section 5). */
export async function nightlyRetry(deps: PayoutDeps): Promise<PayoutCounts> {
  const run = beginRun(deps, TIMES_A_REGULAR_RUN);
  const counts = noCounts();
  await findLostPurchases(run);
  await checkFunds(run);
  await sendSoft(run, counts);
  return counts;
}
