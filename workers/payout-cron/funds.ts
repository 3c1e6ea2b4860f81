import { AGCOD_TIMEOUT_MS, availableFunds } from '@hissaback/shared/clients/agcod';
import { formatPaise } from '@hissaback/shared/domain/money';
import { logEvent, reasonOf } from './log.ts';
import { page } from './page.ts';
import type { PayoutRun } from './run.ts';

/** Asks for the balance at Amazon, at most every ten minutes over all runs, and pages when it runs low. Never stops a run. */
export async function checkFunds(run: PayoutRun): Promise<void> {
  try {
    const slot = await run.gate.acquire(run.clock.now(), 'funds');
    if (!slot.ok) return;
    if (slot.waitMs > 0) await run.sleep(slot.waitMs);
    const { account, credentials, fundsAlertBelow, currency } = run.config;
    const io = { fetch: run.fetch, clock: run.clock, timeoutMs: AGCOD_TIMEOUT_MS };
    const funds = await availableFunds(account, credentials, io);
    if (funds === null || funds >= fundsAlertBelow) return;
    await page(run, {
      dedupKey: 'agcod-funds',
      summary: 'The balance for gift cards at Amazon runs low',
      severity: 'warning',
      details: { available: formatPaise(funds), alert_below: formatPaise(fundsAlertBelow), currency },
    });
  } catch (error) {
    logEvent('error', 'funds_check_failed', { reason: reasonOf(error) });
  }
}
