import { releasableKycHolds, wasPaidSince } from '@hissaback/shared/db/queries/creator-earnings';
import { isAnyThrown } from '@hissaback/shared/db/queries/kill-switches';
import type { PayeeKey } from '@hissaback/shared/db/queries/payouts';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import { payoutPeriod } from '@hissaback/shared/domain/creator-schedule';
import { reserveEach, reserveOne } from './reserve.ts';
import type { PayoutCounts, PayoutRun } from './run.ts';

const SCHEDULE = 'payout';
const HOLDS_AT_ONCE = 100;

/**
 * Reserves what creators have earned, on their day: once a period each, from its begin on, until a run has asked them all. Who did not reach the minimum
 * then waits for the next period. While a kill switch stops anybody the round stays open. An installation's first run begins its first period, in which
 * nobody is paid.
 */
export async function reserveCreators(run: PayoutRun, counts: PayoutCounts): Promise<void> {
  const { creators } = run.config;
  if (creators === null) return;
  await reserveHeld(run, counts);
  const now = run.clock.now();
  const period = payoutPeriod(creators.day, now);
  const { creatorsPaid } = await run.db.transaction((tx) => readWatermark(tx, SCHEDULE));
  if (typeof creatorsPaid === 'number' && creatorsPaid >= period) return;
  const isFirst = typeof creatorsPaid !== 'number';
  const isComplete =
    isFirst ||
    (await reserveEach(
      run,
      {
        side: 'creator',
        limits: creators.limits,
        mayReserve: async (tx, payee) => !(await wasPaidSince(tx, payee, period)),
      },
      counts,
    ));
  if (!isComplete) return;
  await run.db.transaction(async (tx) => {
    if (!(await isAnyThrown(tx, 'payouts'))) await writeWatermark(tx, SCHEDULE, { creatorsPaid: period });
  });
}

/** What a round kept back for want of a PAN is reserved as soon as the PAN is known, on whatever day that is. */
async function reserveHeld(run: PayoutRun, counts: PayoutCounts): Promise<void> {
  const { creators } = run.config;
  if (creators === null) return;
  const isLimited = creators.kycYearlyLimit !== null;
  let after: PayeeKey | null = null;
  while (!run.isOver()) {
    const wanted = { isLimited, after, limit: HOLDS_AT_ONCE };
    const held: PayeeKey[] = await run.db.transaction((tx) => releasableKycHolds(tx, wanted));
    for (const payee of held) await reserveOne(run, { side: 'creator', limits: creators.limits }, payee, counts);
    if (held.length < HOLDS_AT_ONCE) return;
    after = held.at(-1) ?? null;
  }
}
