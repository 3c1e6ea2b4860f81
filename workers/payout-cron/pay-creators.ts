import { wasPaidSince } from '@hissaback/shared/db/queries/creator-earnings';
import { isAnyThrown } from '@hissaback/shared/db/queries/kill-switches';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import { dayStart, lastDayOfMonth } from '@hissaback/shared/domain/india-time';
import { reserveEach } from './reserve.ts';
import type { PayoutCounts, PayoutRun } from './run.ts';

const SCHEDULE = 'payout';

/**
 * Reserves what creators have earned, on their day: once a period each, from its begin on, until a run has asked them all. Who did not reach the minimum
 * then waits for the next period. While a kill switch stops anybody the round stays open. An installation's first run begins its first period, in which
 * nobody is paid.
 */
export async function reserveCreators(run: PayoutRun, counts: PayoutCounts): Promise<void> {
  const { creators } = run.config;
  if (creators === null) return;
  const now = run.clock.now();
  const period = creators.day === 'daily' ? dayStart(now) : lastDayOfMonth(creators.day, now);
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
