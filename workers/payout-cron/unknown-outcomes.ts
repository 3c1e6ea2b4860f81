import { unknownSince } from '@hissaback/shared/db/queries/payouts';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import { page } from './page.ts';
import type { PayoutRun } from './run.ts';

const LONGEST_UNKNOWN_MS = 24 * 60 * 60 * 1_000;
const LISTED = 100;
const SCHEDULE = 'payout';

/** Pages when payouts have an unknown outcome for over 24 hours (money rule 15): once for the same set of payouts. */
export async function pageUnknownOutcomes(run: PayoutRun): Promise<void> {
  const before = run.clock.now() - LONGEST_UNKNOWN_MS;
  const { ids, paged } = await run.db.transaction(async (tx) => ({
    ids: await unknownSince(tx, before, LISTED),
    paged: (await readWatermark(tx, SCHEDULE)).unknownPaged,
  }));
  const [first] = ids;
  const seen = first === undefined ? '' : `${ids.length}:${first}`;
  if (seen === (paged ?? '')) return;
  if (first !== undefined) {
    const sent = await page(run, {
      dedupKey: 'payouts-unknown',
      summary: 'Payouts have had an unknown outcome for over 24 hours',
      severity: 'critical',
      details: { payouts: ids.length === LISTED ? `${LISTED} or more` : ids.length, first },
    });
    if (!sent) return;
  }
  await run.db.transaction((tx) => writeWatermark(tx, SCHEDULE, { unknownPaged: seen }));
}
