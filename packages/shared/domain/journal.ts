import type { Paise } from './money.ts';

/** The two sides that earn: the shopper (payee: user, or visitor while unclaimed) and the creator (payee: the tenant). */
export type Side = 'shopper' | 'creator';
export type Bucket = 'pending' | 'available' | 'reserved' | 'receivable';
export type EventKind =
  | 'accrual'
  | 'amendment'
  | 'release'
  | 'reversal'
  | 'revival'
  | 'claim'
  | 'settlement'
  | 'reservation'
  | 'issue'
  | 'return'
  | 'expiry';

/*
 * How payee accounts, ledger rows and payout items hang together (one side; the other is alike). The audit checks it.
 *
 *   covered(row)   = sum of payout_items.amount of that ledger row and side whose returned_at is null
 *   uncovered(row) = user_amount - covered(row), for rows with a positive amount
 *   available      = sum of uncovered(row) over the payee's rows in status `confirmed` with a positive amount
 *   reserved       = sum of amounts of the payee's payouts queued, sending, held, error_soft
 *
 * A row with a negative amount (an amendment) is never covered itself: when it takes effect on money that is already
 * released, items without a payout (payout_id null, event_id of the amendment or release) are written on positive rows of
 * the same payee, so that the sums above still hold. The same goes for a receivable that a reward works off (event
 * `settlement`). So a payout is allocated over uncovered(row), oldest first, and that always suffices. When a reward's row
 * becomes `paid`, the negative rows of the same conversion that are `confirmed` become `paid` with it.
 */

/** The payee of a reward whose shopper is unknown: no account and no visitor cookie. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/**
 * One line of a money event. Positive: owed to the account's holder, or spent on vouchers; the lines of an event sum to
 * zero per currency. A receivable is what a payee owes us, so its account goes below zero.
 */
export interface Posting {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly tenantId: string;
  readonly account: string;
  /** Paise, signed. */
  readonly amount: Paise;
  readonly currency: string;
}

export const accounts = {
  /** What the network owes the tenant's rewards. */
  network: (tenantId: string): string => `network:${tenantId}`,
  fee: (tenantId: string): string => `fee:${tenantId}`,
  payee: (side: Side, bucket: Bucket, tenantId: string, payee: string): string =>
    `${side}:${bucket}:${tenantId}:${payee}`,
  /** Gift cards bought. */
  vouchers: (tenantId: string): string => `vouchers:${tenantId}`,
};

/** Event ids: each names the row it moves, so that a second writing of the same event meets the primary key. */
export const eventIds = {
  accrual: (convId: bigint): string => `c${convId}.accrual`,
  amendment: (convId: bigint, seq: number): string => `c${convId}.amendment.${seq}`,
  reversal: (convId: bigint, round: number): string => `c${convId}.reversal.${round}`,
  revival: (convId: bigint, round: number): string => `c${convId}.revival.${round}`,
  claim: (convId: bigint): string => `c${convId}.claim`,
  /** `round` as for a release. */
  expiry: (convId: bigint, round: number): string => `c${convId}.expiry.${round}`,
  /** `round`: reversals and revivals before it, since a revived reward is released again. */
  release: (ledId: bigint, round: number): string => `l${ledId}.release.${round}`,
  settlement: (ledId: bigint, side: Side, round: number): string => `l${ledId}.settlement.${side}.${round}`,
  reservation: (payoutId: string): string => `p${payoutId}.reservation`,
  issue: (payoutId: string): string => `p${payoutId}.issue`,
  return: (payoutId: string): string => `p${payoutId}.return`,
};

/**
 * Makes the postings of one event from moves; lines of zero are left out and lines of the same account joined.
 * @throws RangeError when they do not sum to zero: an event that creates or loses money is a bug, not a case.
 */
export function postEvent(
  event: { eventId: string; kind: EventKind; tenantId: string; currency: string },
  lines: readonly { account: string; amount: Paise }[],
): Posting[] {
  const byAccount = new Map<string, Paise>();
  let sum = 0n;
  for (const { account, amount } of lines) {
    byAccount.set(account, (byAccount.get(account) ?? 0n) + amount);
    sum += amount;
  }
  if (sum !== 0n) throw new RangeError(`the postings of ${event.eventId} do not sum to zero`);
  return [...byAccount]
    .filter(([, amount]) => amount !== 0n)
    .map(([account, amount]) => ({ ...event, account, amount }));
}
