import { beginSms, markPaid, type Payout, type Recipient, smsFailed } from '@hissaback/shared/db/queries/payouts';
import {
  beginVoucherMessage,
  hasArrived,
  type MessageEnd,
  settleVoucherMessage,
} from '@hissaback/shared/db/queries/voucher-messages';
import { LEASE_MS, smsDelay } from '@hissaback/shared/domain/retry-schedule';
import { openClaimCode, VoucherSecretError } from '@hissaback/shared/domain/voucher-secret';
import { logEvent } from './log.ts';
import { page } from './page.ts';
import type { PayoutRun } from './run.ts';
import { messageEnd, sendVoucherSms } from './voucher-sms.ts';

/** The try, about two hours after the first, from which on a gateway that fails is an operator's concern too. */
const PAGED_FROM = 6;

/**
 * Sends the voucher of an issued payout. Accepted by the gateway: the code is erased and the payout paid, in one step. Refused: it stays `issued` with
 * its code encrypted and is tried again (fault 41). After a crash in between, one more SMS with the same code goes out (fault 42), unless the gateway has
 * reported meanwhile that the first one arrived.
 */
export async function deliverVoucher(run: PayoutRun, payout: Payout): Promise<'paid' | 'waiting' | 'overtaken'> {
  if (payout.smsAttempts > 0 && (await run.db.transaction((tx) => hasArrived(tx, payout.payoutId)))) {
    const paid = await run.db.transaction((tx) => markPaid(tx, payout, run.clock.now()));
    if (paid) logEvent('info', 'voucher_arrived_already', { payout_id: payout.payoutId });
    return paid ? 'paid' : 'overtaken';
  }
  const begun = await run.db.transaction(async (tx) => {
    const now = run.clock.now();
    const sms = await beginSms(tx, payout, now, LEASE_MS);
    if (sms === null) return null;
    const { payoutId, tenantId } = payout;
    await beginVoucherMessage(tx, { payoutId, tenantId, number: sms.attempt, requestedBy: null }, now);
    return sms;
  });
  if (begun === null) return 'overtaken';
  const key = { payoutId: payout.payoutId, number: begun.attempt };
  const { end, needsOperator } = await send(run, payout, begun);
  if (end.status === 'accepted') {
    const paid = await run.db.transaction(async (tx) => {
      const now = run.clock.now();
      const isPaid = await markPaid(tx, payout, now);
      await settleVoucherMessage(tx, key, end, now);
      return isPaid;
    });
    return paid ? 'paid' : 'overtaken';
  }
  await run.db.transaction(async (tx) => {
    const now = run.clock.now();
    await smsFailed(tx, payout.payoutId, begun.attempt, now + smsDelay(begun.attempt));
    await settleVoucherMessage(tx, key, end, now);
  });
  const reason = end.reason ?? '';
  logEvent('error', 'voucher_not_delivered', { payout_id: payout.payoutId, try: begun.attempt, reason });
  if (needsOperator || begun.attempt >= PAGED_FROM) {
    await page(run, {
      dedupKey: `payout:${payout.payoutId}:sms`,
      summary: 'A voucher cannot be delivered by SMS: its code is kept, encrypted, and tried again',
      severity: 'error',
      details: { payout_id: payout.payoutId, tenant_id: payout.tenantId, reason },
    });
  }
  return 'waiting';
}

type Sent = { readonly end: MessageEnd; readonly needsOperator: boolean };
type Begun = { readonly attempt: number; readonly recipient: Recipient | null; readonly voucherCode: string };

async function send(run: PayoutRun, payout: Payout, begun: Begun): Promise<Sent> {
  if (begun.recipient === null) return notSent('no_phone');
  const code = await readCode(run, payout, begun.voucherCode);
  if (code === null) return notSent('voucher_key_missing');
  const result = await sendVoucherSms(run, payout, begun.attempt, begun.recipient, code);
  return { end: messageEnd(result), needsOperator: !result.ok && !result.retryable };
}

function notSent(reason: string): Sent {
  return { end: { status: 'refused', reason, messageId: '' }, needsOperator: true };
}

async function readCode(run: PayoutRun, payout: Payout, secret: string): Promise<string | null> {
  try {
    return await openClaimCode(secret, payout.payoutId, run.config.voucherKeys);
  } catch (error) {
    if (error instanceof VoucherSecretError) return null;
    throw error;
  }
}
