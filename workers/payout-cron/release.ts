import { lockPayees, writeSettlement } from '@hissaback/shared/db/queries/payee-accounts';
import { claimReleasable, lastPoll, loadReleasable, writeRelease } from '@hissaback/shared/db/queries/release';
import { release as releaseMoney } from '@hissaback/shared/domain/release';
import { rewardsOf } from '@hissaback/shared/domain/settlement';
import type { PayoutDeps } from './deps.ts';
import { page, unpage } from './page.ts';

/** How many conversions one transaction releases, and one run at the most. */
const BATCH = 500;
const MOST_BATCHES = 100;
/** The poll is daily; two days without one are trouble. */
const STALE_AFTER_MS = 2 * 86_400_000;
const STALE_POLL = 'release:stale-poll';

/**
 * Rewards whose cool-off is over, approved by the network, not under review and with a known shopper become confirmed: their money is
 * available (architecture, flow 6; money rules 10 and 11). What a run does not reach, the next one does.
 */
export async function release(deps: PayoutDeps): Promise<Record<string, number>> {
  const { db, clock, settings } = deps;
  const now = clock.now();
  // Money rule 10: only what a poll begun after the end of its cool-off listed as approved. Off on the local stack.
  const mustBeListed = settings.RELEASE_REQUIRES_POLL !== 'false';
  if (mustBeListed && (await isPollStale(deps, now))) return { released: 0, stale_poll: 1 };
  let released = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const count = await db.transaction(async (tx) => {
      const convIds = await claimReleasable(tx, { until: now, limit: BATCH, mustBeListed });
      if (convIds.length === 0) return 0;
      const conversions = await loadReleasable(tx, convIds, now);
      const rewards = rewardsOf(conversions);
      const states = await lockPayees(
        tx,
        rewards.map((reward) => ({ ...reward, taken: 0n, given: 0n })),
        rewards,
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

/** A poll that is too old stops release and pages; a fresh one ends the page (money rule 10). */
async function isPollStale(deps: PayoutDeps, now: number): Promise<boolean> {
  const polledAt = await deps.db.transaction((tx) => lastPoll(tx));
  if (polledAt !== null && now - polledAt <= STALE_AFTER_MS) {
    await unpage(deps, STALE_POLL);
    return false;
  }
  await page(deps, {
    dedupKey: STALE_POLL,
    summary: 'The last poll of the network is more than two days old: no reward is released until one has finished',
    severity: 'critical',
    details: { polled_at: polledAt === null ? 'never' : new Date(polledAt).toISOString() },
  });
  return true;
}
