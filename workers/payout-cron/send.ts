import { claimDue, claimDueHeld, claimOldestHeld, type Payout } from '@hissaback/shared/db/queries/payouts';
import type { GatePurpose } from '@hissaback/shared/domain/agcod-gate';
import type { PayoutStatus } from '@hissaback/shared/domain/payout-state';
import { LEASE_MS } from '@hissaback/shared/domain/retry-schedule';
import { attemptPayout } from './attempt.ts';
import { pageBreaker } from './breaker.ts';
import { deliverVoucher } from './deliver.ts';
import { logEvent, reasonOf } from './log.ts';
import type { PayoutCounts, PayoutRun } from './run.ts';

/** A Worker has six connections: the database's, one call for each lane, one to spare. */
const LANES = 4;
const CALLING: readonly PayoutStatus[] = ['queued', 'sending', 'held'];

/** Sends every payout that is due and delivers every voucher that waits, until nothing is due or the run's time is over. */
export async function sendDue(run: PayoutRun, counts: PayoutCounts): Promise<void> {
  const mayCall = await passBreaker(run, counts);
  await inLanes(run, counts, mayCall ? [...CALLING, 'issued'] : ['issued'], undefined);
}

/** Tries each `error_soft` payout once: what fails again has a newer status and waits for the next night. */
export async function sendSoft(run: PayoutRun, counts: PayoutCounts): Promise<void> {
  if (await passBreaker(run, counts)) await inLanes(run, counts, ['error_soft'], run.startedAt);
}

/**
 * True if calls may be made. When a probe is due it is made first, with the oldest held payout (money rule 16); before that only with one that is due
 * by itself, because an operator asked for it: everything held waits for the next probe.
 */
async function passBreaker(run: PayoutRun, counts: PayoutCounts): Promise<boolean> {
  const { breaker } = await run.gate.status(run.clock.now());
  if (breaker === 'closed') return true;
  await pageBreaker(run, '');
  const probe = await run.db.transaction(async (tx) => {
    const now = run.clock.now();
    if (breaker === 'open') return claimDueHeld(tx, now, LEASE_MS);
    const held = await claimOldestHeld(tx, now, LEASE_MS);
    return held ?? (await claimDue(tx, { statuses: CALLING, now, leaseMs: LEASE_MS }));
  });
  if (probe === null) return false;
  await handle(run, counts, probe, breaker === 'open' ? 'probe_now' : 'probe');
  return (await run.gate.status(run.clock.now())).breaker === 'closed';
}

async function inLanes(
  run: PayoutRun,
  counts: PayoutCounts,
  wanted: readonly PayoutStatus[],
  statusBefore: number | undefined,
): Promise<void> {
  let statuses = wanted;
  const lane = async (): Promise<void> => {
    while (!run.isOver()) {
      const claim = { statuses, now: run.clock.now(), leaseMs: LEASE_MS };
      const payout = await run.db.transaction((tx) =>
        claimDue(tx, statusBefore === undefined ? claim : { ...claim, statusBefore }),
      );
      if (payout === null) return;
      // Nobody may call now; vouchers that are bought already are delivered all the same.
      if ((await handle(run, counts, payout, 'call')) === 'refused') statuses = wanted.filter((s) => s === 'issued');
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
  const broken = ended.find((end) => end.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}

/** An error of our own leaves the payout leased: it is taken up again when the lease ends, and stops no other. */
async function handle(
  run: PayoutRun,
  counts: PayoutCounts,
  payout: Payout,
  purpose: GatePurpose,
): Promise<'refused' | 'done'> {
  try {
    if (payout.status === 'issued') {
      if ((await deliverVoucher(run, payout)) === 'paid') counts.paid += 1;
      return 'done';
    }
    const result = await attemptPayout(run, payout, purpose);
    if (result.kind === 'refused') return 'refused';
    if (result.kind === 'overtaken') return 'done';
    counts[result.kind] += 1;
    if (result.kind === 'issued' && (await deliverVoucher(run, result.payout)) === 'paid') counts.paid += 1;
  } catch (error) {
    counts.failed += 1;
    logEvent('error', 'payout_interrupted', { payout_id: payout.payoutId, reason: reasonOf(error) });
  }
  return 'done';
}
