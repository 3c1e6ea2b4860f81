import { settleCancellations } from './cancel-card.ts';
import type { PayoutDeps } from './deps.ts';
import { checkFunds } from './funds.ts';
import { enterNotifications, notify } from './notify.ts';
import { reserveCreators } from './pay-creators.ts';
import { reserveAll } from './reserve.ts';
import { findLostPurchases } from './restored.ts';
import { beginRun, noCounts, type PayoutCounts } from './run.ts';
import { sendDue } from './send.ts';
import { pageUndelivered } from './undelivered.ts';
import { pageUnknownOutcomes } from './unknown-outcomes.ts';

/**
 * Pays who may be paid: reserves, sends, delivers; then tells shoppers what became of their rewards. Runs may overlap, die or be missing: work is claimed from rows with a lease.
 * @throws ConfigError, DatabaseBehindError, or what stopped the run; what was done stays done
 */
export async function payout(deps: PayoutDeps): Promise<PayoutCounts> {
  const run = beginRun(deps);
  const counts = noCounts();
  await findLostPurchases(run);
  await checkFunds(run);
  await enterNotifications(run);
  await reserveAll(run, counts);
  await reserveCreators(run, counts);
  await settleCancellations(run);
  await sendDue(run, counts);
  await pageUnknownOutcomes(run);
  await pageUndelivered(run);
  await notify(run);
  return counts;
}
