import { AGCOD_TIMEOUT_MS, availableFunds } from '@hissaback/shared/clients/agcod';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import { formatPaise } from '@hissaback/shared/domain/money';
import { logEvent, reasonOf } from './log.ts';
import { page, unpage } from './page.ts';
import type { PayoutRun } from './run.ts';

const SCHEDULE = 'payout';
const PAGE_KEY = 'agcod-funds';
const AGAIN_AFTER_MS = 86_400_000;

/**
 * Asks for the balance at Amazon before a run, and pages when it is below the setting: once a day, until it has risen again. Of runs that begin together one
 * asks; none asks while the breaker is open. Never stops a run.
 */
export async function checkFunds(run: PayoutRun): Promise<void> {
  try {
    const slot = await run.gate.acquire(run.clock.now(), 'funds');
    if (!slot.ok) return;
    if (slot.waitMs > 0) await run.sleep(slot.waitMs);
    const { account, credentials, fundsAlertBelow } = run.config;
    const io = { fetch: run.fetch, clock: run.clock, timeoutMs: AGCOD_TIMEOUT_MS };
    const funds = await availableFunds(account, credentials, io);
    if (funds === null) return;
    const isLow = funds < fundsAlertBelow;
    const now = run.clock.now();
    const { fundsPagedAt } = await run.db.transaction((tx) => readWatermark(tx, SCHEDULE));
    const isOpen = typeof fundsPagedAt === 'number';
    if (isLow ? isOpen && now - fundsPagedAt < AGAIN_AFTER_MS : !isOpen) return;
    const isTold = isLow
      ? await page(run, {
          dedupKey: PAGE_KEY,
          summary: 'The balance for gift cards at Amazon runs low',
          severity: 'warning',
          details: {
            available: formatPaise(funds),
            alert_below: formatPaise(fundsAlertBelow),
            currency: run.config.currency,
          },
        })
      : await unpage(run, PAGE_KEY);
    if (isTold) await run.db.transaction((tx) => writeWatermark(tx, SCHEDULE, { fundsPagedAt: isLow ? now : null }));
  } catch (error) {
    logEvent('error', 'funds_check_failed', { reason: reasonOf(error) });
  }
}
