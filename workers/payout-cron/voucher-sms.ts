import { type SmsResult, sendSms } from '@hissaback/shared/clients/sms';
import type { Payout, Recipient } from '@hissaback/shared/db/queries/payouts';
import type { MessageEnd } from '@hissaback/shared/db/queries/voucher-messages';
import { voucherReference } from '@hissaback/shared/domain/voucher-message';
import { messageLanguage, voucherMessage } from './messages/voucher.ts';
import type { PayoutRun } from './run.ts';

/** Hands the message with a voucher's code to the gateway, in the language of whom it is for. Never throws. */
export async function sendVoucherSms(
  run: PayoutRun,
  payout: Payout,
  number: number,
  recipient: Recipient,
  code: string,
): Promise<SmsResult> {
  const { settings } = run;
  const language = messageLanguage(recipient.language);
  const ownTemplate = language === 'hi' ? settings.DLT_TEMPLATE_VOUCHER_HI : '';
  return sendSms(
    {
      endpoint: settings.SMS_ENDPOINT,
      authKey: settings.SMS_AUTH_KEY,
      sender: settings.SMS_SENDER,
      entityId: settings.DLT_ENTITY_ID,
      fetch: run.fetch,
    },
    {
      to: recipient.phone,
      text: voucherMessage(language, payout.amount, payout.currency, code),
      kind: 'voucher',
      templateId: ownTemplate || settings.DLT_TEMPLATE_VOUCHER,
      reference: voucherReference(payout.payoutId, number),
    },
  );
}

/** What is written down of a message that the gateway answered, or did not. */
export function messageEnd(result: SmsResult): MessageEnd {
  if (result.ok) return { status: 'accepted', reason: null, messageId: result.id };
  return { status: result.notSent ? 'refused' : 'unknown', reason: result.reason, messageId: '' };
}
