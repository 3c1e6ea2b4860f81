import type { ResendVoucher, VoucherResent } from '@hissaback/shared/contracts/payout-calls';
import { recordAudit } from '@hissaback/shared/db/queries/audit-log';
import { isStopped } from '@hissaback/shared/db/queries/kill-switches';
import { type Payout, type Recipient, recipientOfMessage } from '@hissaback/shared/db/queries/payouts';
import { isOperatorNow, lockPayout } from '@hissaback/shared/db/queries/payouts-operator';
import {
  beginResend,
  type MessageEnd,
  settleVoucherMessage,
  voucherMessages,
} from '@hissaback/shared/db/queries/voucher-messages';
import type { Tx } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { refuseResend } from '@hissaback/shared/domain/voucher-message';
import { askForCard } from './attempt.ts';
import { reportOutcome } from './breaker.ts';
import type { PayoutDeps } from './deps.ts';
import { logEvent } from './log.ts';
import { beginRun, type PayoutRun } from './run.ts';
import { takeSlot } from './slot.ts';
import { messageEnd, sendVoucherSms } from './voucher-sms.ts';

type Refused = Extract<VoucherResent, { ok: false }>;
type Begun = { readonly payout: Payout; readonly gcId: string; readonly number: number; readonly recipient: Recipient };

/**
 * Sends the message of a paid voucher once more, for an operator, when nothing says that one arrived. We keep no codes: Amazon is asked by the same
 * creationRequestId, which makes no other card, and only one that is `Fulfilled` and the payout's own is sent. Who asked and why is in the audit log before
 * the call; the code is in no row.
 * @throws ConfigError
 */
export async function resendVoucher(deps: PayoutDeps, request: ResendVoucher): Promise<VoucherResent> {
  const run = beginRun(deps);
  const waitMs = await takeSlot(run, request.payoutId);
  const begun = await deps.db.transaction((tx) => begin(tx, run, request, waitMs !== false));
  if ('ok' in begun) return begun;
  if (waitMs !== false && waitMs > 0) await run.sleep(waitMs);
  const end = await send(run, begun);
  const result: VoucherResent = end.status === 'accepted' ? { ok: true } : { ok: false, reason: refusalOf(end) };
  await deps.db.transaction(async (tx) => {
    await settleVoucherMessage(tx, { payoutId: begun.payout.payoutId, number: begun.number }, end, run.clock.now());
    if (result.ok) await audit(tx, run, begun.payout, request, 'payout.voucher_resent', begun.number);
  });
  logEvent(result.ok ? 'info' : 'error', 'voucher_resent', {
    payout_id: request.payoutId,
    try: begun.number,
    result: end.reason ?? end.status,
  });
  return result;
}

async function begin(
  tx: Tx,
  run: PayoutRun,
  { payoutId, operatorId, reason }: ResendVoucher,
  mayCall: boolean,
): Promise<Begun | Refused> {
  if (!(await isOperatorNow(tx, operatorId))) return refused('not_operator');
  const payout = await lockPayout(tx, payoutId);
  if (payout === null) return refused('not_found');
  const now = run.clock.now();
  const refusal = refuseResend(payout.status, await voucherMessages(tx, payoutId), now);
  if (refusal !== null) return refused(refusal);
  const recipient = await recipientOfMessage(tx, payout.userId);
  if (recipient === null) return refused('no_phone');
  if (!mayCall || payout.gcId === null || (await isStopped(tx, 'payouts', payout.tenantId)))
    return refused('unavailable');
  const number = await beginResend(tx, payout, operatorId, now);
  await audit(tx, run, payout, { operatorId, reason }, 'payout.voucher_resend_asked', number);
  return { payout, gcId: payout.gcId, number, recipient };
}

async function send(run: PayoutRun, { payout, gcId, number, recipient }: Begun): Promise<MessageEnd> {
  const outcome = await askForCard(run, payout);
  await reportOutcome(run, 'call', payout.payoutId, outcome);
  const unsent = (reason: string): MessageEnd => ({ status: 'refused', reason, messageId: '' });
  if (outcome.kind === 'refunded') return unsent('card_cancelled');
  if (outcome.kind !== 'issued' || outcome.gcId !== gcId) return unsent('no_code');
  return messageEnd(await sendVoucherSms(run, payout, number, recipient, outcome.claimCode));
}

function refusalOf({ reason }: MessageEnd): Refused['reason'] {
  if (reason === 'card_cancelled') return 'card_cancelled';
  return reason === 'no_code' ? 'unavailable' : 'not_sent';
}

async function audit(
  tx: Tx,
  run: PayoutRun,
  payout: Pick<Payout, 'payoutId' | 'tenantId'>,
  by: Pick<ResendVoucher, 'operatorId' | 'reason'>,
  action: string,
  number: number,
): Promise<void> {
  await recordAudit(tx, {
    audit_id: mintId(run.clock, run.random),
    tenant_id: payout.tenantId,
    actor: `user:${by.operatorId}`,
    action,
    subject: `payout:${payout.payoutId}`,
    reason: by.reason,
    details: { message: number },
    at: new Date(run.clock.now()),
  });
}

function refused(reason: Refused['reason']): Refused {
  return { ok: false, reason };
}
