import { clickIdTime } from './click-id.ts';
import type { Paise } from './money.ts';
import { type Commission, grossCommission } from './split.ts';

/*
 * When a claim of missing cashback is linked without a person. An order id can be guessed or read off a screenshot, so it never suffices: it takes the
 * exact amount, the time, and a click of the shopper's own from before the sale, which nobody can make afterwards. Money never comes from a claim, only
 * from what the network reported:
 * 1. `tracked`: a conversion of the shopper's at the merchant has the order id, or is their only one of that amount and time that has none. Nothing is to
 *    be done; the claim is answered with it.
 * 2. `unmatched`: exactly one open unmatched postback of the merchant's offers has the order id; it names no click that we know; and the shopper followed
 *    a link to that very offer within the attribution window before it. It gets the last such click.
 * 3. `nobodys`: exactly one conversion has the order id, no shopper and no visitor; and the shopper followed a link to that very offer before the sale,
 *    within a day of the click that the sale names. It becomes the shopper's.
 * For 2 and 3 the amount must be the claim's (where only a commission was told: what the claim's amount comes to at the offer's percentage), the sale be
 * told of from a day before to thirty days after the claim's date, and nobody else claim that order. Everything else waits for an operator, with the
 * evidence: a reward of a visitor who may yet log in, or one of another shopper, above all.
 */

export type MissingClaim = {
  orderId: string;
  amount: Paise;
  /** The beginning of the day of the purchase in UTC, milliseconds since the Unix epoch. */
  purchasedOn: number;
  /** Claims of other shoppers for the same order that are not rejected. */
  rivals: number;
};

/** Whose reward a conversion is. `unclaimed_visitors`: of a visitor who has not logged in yet; `nobodys`: of no visitor either. */
export type Whose = 'own' | 'another_shoppers' | 'unclaimed_visitors' | 'nobodys';

/** A conversion with the claim's order id, or the shopper's at that merchant. Times in milliseconds since the Unix epoch. */
export type ClaimConversion = {
  convId: bigint;
  tenantId: string;
  offerId: number;
  clickId: bigint;
  txnId: string | null;
  whose: Whose;
  /** What the order was first said to be worth and what it is now, in paise; empty where the network never told. */
  amounts: readonly Paise[];
  occurredAt: number;
  /** The reward's in the ledger. */
  status: string;
};

/** An open unmatched postback of an offer of the merchant, with the claim's order id, or with none and the claim's amount. Times in milliseconds since the Unix epoch. */
export type ClaimUnmatched = {
  unmatchedId: bigint;
  offerId: number;
  orderId: string;
  reason: string;
  /** Paise; null where it names none. */
  amount: Paise | null;
  /** The commission that it names, in paise, and what the offer pays. */
  payout: Paise | null;
  commission: Commission;
  /** It names a click that is known and so belongs to somebody, or was given one before. */
  hasKnownClick: boolean;
  /** The network's time of the sale, else when it reached us. */
  reportedAt: number;
};

/** A click of the shopper's on a link to an offer of the merchant. */
export type ClaimClick = { clickId: bigint; offerId: number; linkId: string };

export type ClaimEvidence = {
  conversions: readonly ClaimConversion[];
  unmatched: readonly ClaimUnmatched[];
  clicks: readonly ClaimClick[];
};

/** Why a claim waits for an operator. */
export type OperatorRule =
  | 'another_shoppers'
  | 'unclaimed_visitors'
  | 'nobodys_conversion'
  | 'several_conversions'
  | 'several_postbacks'
  | 'several_claims'
  | 'known_click'
  | 'amount_only'
  | 'other_amount'
  | 'amount_unknown'
  | 'other_date'
  | 'expired'
  | 'no_click'
  | 'nothing_found';

export type ClaimJudgement =
  | { kind: 'tracked'; conversion: ClaimConversion }
  | { kind: 'unmatched'; unmatchedId: bigint; clickId: bigint }
  | { kind: 'nobodys'; conversion: ClaimConversion }
  | { kind: 'operator'; rule: OperatorRule };

const DAY_MS = 86_400_000;
/** Days before the claim's date that a sale may be told of: a day ahead is today somewhere. */
const EARLY_DAYS = 1;
/** Networks report a sale days after it happened. */
export const REPORTED_WITHIN_DAYS = 30;

/** Decides by the rules above. */
export function judgeClaim(
  claim: MissingClaim,
  evidence: ClaimEvidence,
  attributionWindowDays: number,
): ClaimJudgement {
  const operator = (rule: OperatorRule): ClaimJudgement => ({ kind: 'operator', rule });
  const order = orderKey(claim.orderId);
  const sameOrder = evidence.conversions.filter(({ txnId }) => txnId !== null && orderKey(txnId) === order);
  const own = sameOrder.find(({ whose }) => whose === 'own') ?? onlyOwnWithoutOrder(claim, evidence.conversions);
  if (own !== undefined) return { kind: 'tracked', conversion: own };
  if (sameOrder.some(({ whose }) => whose === 'another_shoppers')) return operator('another_shoppers');
  if (sameOrder.some(({ whose }) => whose === 'unclaimed_visitors')) return operator('unclaimed_visitors');
  const [conversion] = sameOrder;
  if (conversion !== undefined) {
    if (sameOrder.length > 1) return operator('several_conversions');
    const { amounts, occurredAt, status } = conversion;
    if (status !== 'pending' && status !== 'review') return operator('expired');
    const doubt = doubtOf(claim, amounts.length === 0 ? null : amounts.includes(claim.amount), occurredAt);
    if (doubt !== null) return operator(doubt);
    return hasClickBeside(evidence.clicks, conversion)
      ? { kind: 'nobodys', conversion }
      : operator('nobodys_conversion');
  }
  const named = evidence.unmatched.filter((row) => orderKey(row.orderId) === order);
  const candidates = named.filter((row) => !row.hasKnownClick);
  const [row] = candidates;
  if (row === undefined) {
    if (named.length > 0) return operator('known_click');
    if (evidence.unmatched.length > 0) return operator('amount_only');
    return operator(evidence.clicks.length === 0 ? 'no_click' : 'nothing_found');
  }
  if (candidates.length > 1) return operator('several_postbacks');
  const doubt = doubtOf(claim, isOfAmount(row, claim.amount), row.reportedAt);
  if (doubt !== null) return operator(doubt);
  const clickId = lastClickBefore(evidence.clicks, row, attributionWindowDays);
  return clickId === null ? operator('no_click') : { kind: 'unmatched', unmatchedId: row.unmatchedId, clickId };
}

/** Order ids are compared as people copy them: case and spaces around do not count. */
export function orderKey(orderId: string): string {
  return orderId.trim().toLowerCase();
}

/** The shopper's one conversion of that amount and time that the network gave no order id. */
function onlyOwnWithoutOrder(
  claim: MissingClaim,
  conversions: readonly ClaimConversion[],
): ClaimConversion | undefined {
  const [only, another] = conversions.filter(
    ({ whose, txnId, amounts, occurredAt }) =>
      whose === 'own' && txnId === null && amounts.includes(claim.amount) && isInTime(claim, occurredAt),
  );
  return another === undefined ? only : undefined;
}

/** What speaks against giving a sale to whoever claims it; null if nothing does. */
function doubtOf(claim: MissingClaim, isAmount: boolean | null, toldAt: number): OperatorRule | null {
  if (isAmount === null) return 'amount_unknown';
  if (!isAmount) return 'other_amount';
  if (!isInTime(claim, toldAt)) return 'other_date';
  return claim.rivals > 0 ? 'several_claims' : null;
}

function isInTime({ purchasedOn }: MissingClaim, toldAt: number): boolean {
  return toldAt >= purchasedOn - EARLY_DAYS * DAY_MS && toldAt <= purchasedOn + (REPORTED_WITHIN_DAYS + 1) * DAY_MS;
}

/** Null where the row tells neither an amount nor the commission of one. */
function isOfAmount({ amount, payout, commission }: ClaimUnmatched, claimed: Paise): boolean | null {
  if (amount !== null) return amount === claimed;
  return payout === null || !('pct' in commission) ? null : payout === grossCommission(claimed, null, commission);
}

function lastClickBefore(clicks: readonly ClaimClick[], row: ClaimUnmatched, windowDays: number): bigint | null {
  let last: bigint | null = null;
  for (const { clickId, offerId } of clicks) {
    const age = row.reportedAt - clickIdTime(clickId);
    if (offerId !== row.offerId || age < 0 || age > windowDays * DAY_MS) continue;
    if (last === null || clickId > last) last = clickId;
  }
  return last;
}

function hasClickBeside(clicks: readonly ClaimClick[], { offerId, clickId, occurredAt }: ClaimConversion): boolean {
  return clicks.some((click) => {
    const at = clickIdTime(click.clickId);
    return click.offerId === offerId && at <= occurredAt && Math.abs(at - clickIdTime(clickId)) <= DAY_MS;
  });
}
