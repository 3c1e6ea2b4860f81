import { type Sms, type SmsResult, sendSms } from '@hissaback/shared/clients/sms';
import { beginSms, markPaid, type Payout, smsFailed } from '@hissaback/shared/db/queries/payouts';
import { LEASE_MS, smsDelay } from '@hissaback/shared/domain/retry-schedule';
import { openClaimCode, VoucherSecretError } from '@hissaback/shared/domain/voucher-secret';
import { logEvent } from './log.ts';
import { messageLanguage, voucherMessage } from './messages/voucher.ts';
import { page } from './page.ts';
import type { PayoutRun } from './run.ts';

/**
 * Sends the voucher of an issued payout. Accepted by the gateway: the code is erased and the payout paid, in one step. Refused: it stays `issued` with
 * its code encrypted and is tried again (fault 41). After a crash in between, one more SMS with the same code goes out (fault 42).
 */
export async function deliverVoucher(run: PayoutRun, payout: Payout): Promise<'paid' | 'waiting' | 'overtaken'> {
  const begun = await run.db.transaction((tx) => beginSms(tx, payout, run.clock.now(), LEASE_MS));
  if (begun === null) return 'overtaken';
  const problem = await send(run, payout, begun);
  if (problem === null) {
    const paid = await run.db.transaction((tx) => markPaid(tx, payout, run.clock.now()));
    return paid ? 'paid' : 'overtaken';
  }
  const next = run.clock.now() + smsDelay(begun.attempt);
  await run.db.transaction((tx) => smsFailed(tx, payout.payoutId, begun.attempt, next));
  logEvent('error', 'voucher_not_delivered', {
    payout_id: payout.payoutId,
    try: begun.attempt,
    reason: problem.reason,
  });
  if (problem.needsOperator) {
    await page(run, {
      dedupKey: `payout:${payout.payoutId}:sms`,
      summary: 'A voucher cannot be delivered by SMS: its code is kept, encrypted, and tried again',
      severity: 'error',
      details: { payout_id: payout.payoutId, tenant_id: payout.tenantId, reason: problem.reason },
    });
  }
  return 'waiting';
}

type Problem = { reason: string; needsOperator: boolean };
type Begun = NonNullable<Awaited<ReturnType<typeof beginSms>>>;

/** Null once the gateway has accepted the message. */
async function send(run: PayoutRun, payout: Payout, begun: Begun): Promise<Problem | null> {
  if (begun.recipient === null) return { reason: 'no_phone', needsOperator: true };
  const code = await readCode(run, payout, begun.voucherCode);
  if (code === null) return { reason: 'voucher_key_missing', needsOperator: true };
  const { settings } = run;
  const language = messageLanguage(begun.recipient.language);
  const ownTemplate = language === 'hi' ? settings.DLT_TEMPLATE_VOUCHER_HI : '';
  const message: Sms = {
    to: begun.recipient.phone,
    text: voucherMessage(language, payout.amount, payout.currency, code),
    kind: 'voucher',
    templateId: ownTemplate || settings.DLT_TEMPLATE_VOUCHER,
    reference: `${payout.payoutId}-${begun.attempt}`,
  };
  const result: SmsResult = await sendSms(
    {
      endpoint: settings.SMS_ENDPOINT,
      authKey: settings.SMS_AUTH_KEY,
      sender: settings.SMS_SENDER,
      entityId: settings.DLT_ENTITY_ID,
      fetch: run.fetch,
    },
    message,
  );
  return result.ok ? null : { reason: result.reason, needsOperator: !result.retryable };
}

async function readCode(run: PayoutRun, payout: Payout, secret: string): Promise<string | null> {
  try {
    return await openClaimCode(secret, payout.payoutId, run.config.voucherKeys);
  } catch (error) {
    if (error instanceof VoucherSecretError) return null;
    throw error;
  }
}
