import { postponeHeld, resumeHeld } from '@hissaback/shared/db/queries/payouts';
import type { GatePurpose } from '@hissaback/shared/domain/agcod-gate';
import type { AgcodOutcome } from '@hissaback/shared/domain/agcod-outcome';
import { accountSign } from '@hissaback/shared/domain/payout-state';
import { logEvent, reasonOf } from './log.ts';
import { page, unpage } from './page.ts';
import type { PayoutRun } from './run.ts';

const BREAKER_PAGE = 'agcod-breaker';

/** Tells the gate what an answer says about the partner account. A gate that cannot be reached stops no answer from being applied. */
export async function reportOutcome(
  run: PayoutRun,
  purpose: GatePurpose,
  payoutId: string,
  outcome: AgcodOutcome,
): Promise<void> {
  const now = run.clock.now();
  const report = { purpose, payoutId, sign: accountSign(outcome), holdForMs: run.config.holdForMs };
  try {
    const change = await run.gate.report(report, now);
    if (change === 'opened') await pageBreaker(run, outcome.kind === 'held' ? outcome.error.type : '');
    if (change === 'opened' || (purpose !== 'call' && report.sign !== 'works'))
      await run.db.transaction((tx) => postponeHeld(tx, now + report.holdForMs));
    if (change === 'closed') {
      logEvent('info', 'breaker_closed', { resumed: await run.db.transaction((tx) => resumeHeld(tx, now)) });
      await unpage(run, BREAKER_PAGE);
    }
  } catch (error) {
    logEvent('error', 'gate_report_failed', { payout_id: payoutId, reason: reasonOf(error) });
  }
}

/** Pages once for an open breaker; if the pager is down, a later run does it. */
export async function pageBreaker(run: PayoutRun, reason: string): Promise<void> {
  if (!(await run.gate.claimPage(run.clock.now()))) return;
  const sent = await page(run, {
    dedupKey: BREAKER_PAGE,
    summary: 'Payouts are held: the AGCOD account refuses calls (funds, contract, keys or clock)',
    severity: 'critical',
    details: { reason },
  });
  if (sent) await run.gate.pageSent();
}
