import type { PayoutStatus } from './payout-state.ts';
import { LEASE_MS } from './retry-schedule.ts';

/** How long a report may take before an operator may have a message sent again, in milliseconds. */
export const REPORT_WITHIN_MS = 10 * 60_000;

/** What the gateway said of a message: taken, refused, or nothing (it may have gone out). `sending` is under way, or its sender died. */
export type MessageStatus = 'sending' | 'accepted' | 'refused' | 'unknown';
/** What the gateway reported of it later. */
export type Delivery = 'delivered' | 'failed';

/** One sending of a voucher's message; times in milliseconds since the Unix epoch. */
export type VoucherMessage = {
  readonly number: number;
  readonly status: MessageStatus;
  readonly delivery: Delivery | null;
  readonly begunAt: number;
};

export type ResendRefusal =
  | 'wrong_status'
  /** A message with this voucher has arrived. */
  | 'delivered_already'
  /** One is being sent at this moment. */
  | 'under_way'
  /** The last one was taken a short while ago, and its report may still come. */
  | 'report_awaited';

/**
 * Why a voucher's message may not be sent once more; null if it may. Before the payout is `paid` its own runs send it; afterwards only an operator has it
 * sent, when nothing says that one arrived.
 *
 * @param now milliseconds since the Unix epoch
 */
export function refuseResend(
  status: PayoutStatus,
  messages: readonly VoucherMessage[],
  now: number,
): ResendRefusal | null {
  if (status !== 'paid') return 'wrong_status';
  if (messages.some(({ delivery }) => delivery === 'delivered')) return 'delivered_already';
  const last = messages.toSorted((a, b) => a.number - b.number).at(-1);
  if (last === undefined || last.delivery === 'failed' || last.status === 'refused') return null;
  const age = now - last.begunAt;
  if (last.status === 'sending') return age < LEASE_MS ? 'under_way' : null;
  return age < REPORT_WITHIN_MS ? 'report_awaited' : null;
}

/** What the gateway's reports call a voucher's message. */
export function voucherReference(payoutId: string, number: number): string {
  return `${payoutId}-${number}`;
}
