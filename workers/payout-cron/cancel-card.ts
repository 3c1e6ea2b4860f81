import { AGCOD_TIMEOUT_MS, cancelGiftCard } from '@hissaback/shared/clients/agcod';
import type { PayoutOperated } from '@hissaback/shared/contracts/payout-calls';
import { recordAudit } from '@hissaback/shared/db/queries/audit-log';
import type { Payout } from '@hissaback/shared/db/queries/payouts';
import { claimCancelling, markCardCancelled, markNotCancelled } from '@hissaback/shared/db/queries/payouts-operator';
import { mintId } from '@hissaback/shared/domain/click-id';
import { LEASE_MS } from '@hissaback/shared/domain/retry-schedule';
import { askForCard } from './attempt.ts';
import { reportOutcome } from './breaker.ts';
import { logEvent } from './log.ts';
import type { PayoutRun } from './run.ts';
import { takeSlot } from './slot.ts';

/** A call that comes later than this after its mark might meet a run that has settled the matter. */
const CALL_WITHIN_MS = LEASE_MS / 2;

/** A payout whose card Amazon is asked to cancel, and who asked. */
export type CardToCancel = Payout & {
  readonly gcId: string;
  readonly operatorId: string;
  readonly reason: string;
  /** When it was marked, milliseconds since the Unix epoch. */
  readonly markedAt: number;
};

/**
 * Cancels the card of a payout that is marked for it. Whatever Amazon answers but yes, it is asked what became of the card by its own id: only that decides
 * (a card that was cancelled is `RefundedToPurchaser`).
 */
export async function cancelCard(run: PayoutRun, card: CardToCancel, waitMs: number): Promise<PayoutOperated> {
  if (waitMs > 0) await run.sleep(waitMs);
  const io = { fetch: run.fetch, clock: run.clock, timeoutMs: AGCOD_TIMEOUT_MS };
  const { operatorId, reason } = card;
  const isInTime = run.clock.now() - card.markedAt < CALL_WITHIN_MS;
  if (isInTime && (await cancelGiftCard(card, run.config.credentials, card, io)))
    return end(run, card, { operatorId, reason });
  return learn(run, card, { operatorId, reason });
}

/** Settles cancellations whose answer never came: after a crash, or when Amazon was silent. */
export async function settleCancellations(run: PayoutRun): Promise<void> {
  while (!run.isOver()) {
    const payout = await run.db.transaction((tx) => claimCancelling(tx, run.clock.now(), LEASE_MS));
    if (payout === null) return;
    const result = await learn(run, payout, null);
    logEvent('info', 'cancellation_settled', {
      payout_id: payout.payoutId,
      result: result.ok ? result.status : result.reason,
    });
    if (!result.ok && result.reason === 'unavailable') return;
  }
}

type Asker = { readonly operatorId: string; readonly reason: string } | null;

async function learn(run: PayoutRun, payout: Payout, asker: Asker): Promise<PayoutOperated> {
  const waitMs = await takeSlot(run, payout.payoutId);
  if (waitMs === false) return { ok: false, reason: 'unavailable' };
  if (waitMs > 0) await run.sleep(waitMs);
  const outcome = await askForCard(run, payout);
  await reportOutcome(run, 'call', payout.payoutId, outcome);
  if (outcome.kind === 'refunded') return end(run, payout, asker);
  if (outcome.kind !== 'issued') return { ok: false, reason: 'unknown_outcome' };
  await run.db.transaction((tx) => markNotCancelled(tx, payout.payoutId, run.clock.now()));
  return { ok: false, reason: 'amazon_refused' };
}

async function end(run: PayoutRun, payout: Payout, asker: Asker): Promise<PayoutOperated> {
  const now = run.clock.now();
  const isCancelled = await run.db.transaction(async (tx) => {
    if (!(await markCardCancelled(tx, payout, now))) return false;
    await recordAudit(tx, {
      audit_id: mintId(run.clock, run.random),
      tenant_id: payout.tenantId,
      actor: asker === null ? 'payout-cron' : `user:${asker.operatorId}`,
      action: 'payout.cancelled',
      subject: `payout:${payout.payoutId}`,
      reason: asker?.reason,
      details: { from: 'issued', to: 'cancelled', card: 'cancelled at Amazon' },
      at: new Date(now),
    });
    return true;
  });
  return isCancelled ? { ok: true, status: 'cancelled' } : { ok: false, reason: 'wrong_status' };
}
