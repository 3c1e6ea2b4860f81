import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import { undeliveredVouchers } from '@hissaback/shared/db/queries/voucher-messages';
import { page, unpage } from './page.ts';
import type { PayoutRun } from './run.ts';

const SCHEDULE = 'payout';
const PAGE_KEY = 'vouchers-undelivered';
const LOOKED_BACK_MS = 30 * 86_400_000;
const LISTED = 100;

/** Pages when vouchers that are paid have not arrived, says the gateway: once for the same set; operators may have them sent once more. */
export async function pageUndelivered(run: PayoutRun): Promise<void> {
  const since = run.clock.now() - LOOKED_BACK_MS;
  const { ids, paged } = await run.db.transaction(async (tx) => ({
    ids: await undeliveredVouchers(tx, since, LISTED),
    paged: (await readWatermark(tx, SCHEDULE)).undeliveredPaged ?? '',
  }));
  const last = ids.at(-1);
  const seen = last === undefined ? '' : `${ids.length}:${last}`;
  if (seen === paged) return;
  const message = {
    dedupKey: PAGE_KEY,
    summary: 'Vouchers were not delivered, as the SMS gateway reports: they can be sent once more',
    severity: 'warning' as const,
    details: { payouts: ids.length === LISTED ? `${LISTED} or more` : ids.length, last: last ?? '' },
  };
  if (!(await (last === undefined ? unpage(run, PAGE_KEY) : page(run, message)))) return;
  await run.db.transaction((tx) => writeWatermark(tx, SCHEDULE, { undeliveredPaged: seen }));
}
