import { lockPayees, writeSettlement } from '@hissaback/shared/db/queries/payee-accounts';
import { claimReleasable, lastPoll, loadReleasable, writeRelease } from '@hissaback/shared/db/queries/release';
import { release as releaseMoney } from '@hissaback/shared/domain/release';
import { payeesOf } from '@hissaback/shared/domain/settlement';
import type { PayoutDeps } from './deps.ts';

/** How many conversions one transaction releases, and one run at the most. */
const BATCH = 500;
const MOST_BATCHES = 100;

/**
 * Rewards whose cool-off is over, approved by the network, not under review and with a known shopper become confirmed: their money is
 * available (architecture, flow 6; money rules 10 and 11). What a run does not reach, the next one does.
 */
export async function release(deps: Pick<PayoutDeps, 'db' | 'clock' | 'settings'>): Promise<Record<string, number>> {
  const { db, clock, settings } = deps;
  const now = clock.now();
  // Money rule 10: only what a poll begun after the end of its cool-off confirmed. Off on the local stack.
  const requiresPoll = settings.RELEASE_REQUIRES_POLL !== 'false';
  let released = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const count = await db.transaction(async (tx) => {
      const before = requiresPoll ? await lastPoll(tx) : now;
      if (before === null) return 0;
      const convIds = await claimReleasable(tx, { until: Math.min(now, before), limit: BATCH });
      if (convIds.length === 0) return 0;
      const conversions = await loadReleasable(tx, convIds, now);
      const states = await lockPayees(
        tx,
        conversions.flatMap((conversion) => payeesOf(conversion)),
        conversions.map(({ convId }) => convId),
      );
      const settlement = releaseMoney(states, conversions, now);
      await writeRelease(tx, conversions, now);
      await writeSettlement(tx, states, settlement, now);
      return conversions.length;
    });
    released += count;
    if (count < BATCH) break;
  }
  return { released };
}
