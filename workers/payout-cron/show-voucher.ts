import type { ShowVoucher, VoucherShown } from '@hissaback/shared/contracts/payout-calls';
import { recordAudit } from '@hissaback/shared/db/queries/audit-log';
import { isStopped } from '@hissaback/shared/db/queries/kill-switches';
import { payoutOfUser } from '@hissaback/shared/db/queries/payouts-operator';
import { mintId } from '@hissaback/shared/domain/click-id';
import { formatPaise } from '@hissaback/shared/domain/money';
import { askForCard } from './attempt.ts';
import { reportOutcome } from './breaker.ts';
import type { PayoutDeps } from './deps.ts';
import { logEvent } from './log.ts';
import { beginRun } from './run.ts';
import { takeSlot } from './slot.ts';

/**
 * The code of a voucher that was paid, for the one who received it. We keep no codes: Amazon is asked again by the same creationRequestId, which makes
 * no other card. Who asked is in the audit log before anything is shown; only a card that is `Fulfilled` is.
 * @throws ConfigError
 */
export async function showVoucher(deps: PayoutDeps, request: ShowVoucher): Promise<VoucherShown> {
  const run = beginRun(deps);
  const found = await deps.db.transaction(async (tx) => {
    const payout = await payoutOfUser(tx, request.payoutId, request.userId);
    if (payout === null) return 'not_found';
    if (payout.status !== 'paid') return payout.status === 'cancelled' ? 'cancelled' : 'not_paid';
    if (await isStopped(tx, 'payouts', payout.tenantId)) return 'unavailable';
    await recordAudit(tx, {
      audit_id: mintId(run.clock, run.random),
      tenant_id: payout.tenantId,
      actor: `user:${request.userId}`,
      action: 'payout.voucher_asked',
      subject: `payout:${payout.payoutId}`,
      at: new Date(run.clock.now()),
    });
    return payout;
  });
  if (typeof found === 'string') return { ok: false, reason: found };
  const waitMs = await takeSlot(run, found.payoutId);
  if (waitMs === false) return { ok: false, reason: 'unavailable' };
  if (waitMs > 0) await run.sleep(waitMs);
  const outcome = await askForCard(run, found);
  await reportOutcome(run, 'call', found.payoutId, outcome);
  logEvent('info', 'voucher_asked_again', { payout_id: found.payoutId, outcome: outcome.kind });
  if (outcome.kind === 'refunded') return { ok: false, reason: 'cancelled' };
  if (outcome.kind !== 'issued' || outcome.gcId !== found.gcId) return { ok: false, reason: 'unavailable' };
  return { ok: true, claimCode: outcome.claimCode, amount: formatPaise(found.amount), currency: found.currency };
}
