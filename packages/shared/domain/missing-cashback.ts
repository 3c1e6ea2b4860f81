import { clickIdTime } from './click-id.ts';
import type { Paise } from './money.ts';

/*
 * When a claim of missing cashback is linked without a person. All of it is about the shopper's own doings; money never comes from a claim, only
 * from what the network reported:
 * 1. `tracked`: a conversion of the shopper's at the merchant has the order id. Nothing is to be done; the claim is answered with it.
 * 2. `unmatched`: exactly one open unmatched postback of the merchant's offers has the order id and, where it names one, the amount; it names no click
 *    that we know; and the shopper followed a link to that very offer within the attribution window before it. It gets the last such click.
 * Everything else waits for an operator, with the evidence: a conversion of nobody's with that order id, several postbacks, another amount, no click.
 */

export type MissingClaim = { orderId: string; amount: Paise };

/** A conversion with the claim's order id, or the shopper's at that merchant. */
export type ClaimConversion = {
  convId: bigint;
  tenantId: string;
  txnId: string | null;
  isOwn: boolean;
  /** No shopper is known for it. */
  isNobodys: boolean;
};

/** An open unmatched postback with the claim's order id and an offer of the merchant. Times in milliseconds since the Unix epoch. */
export type ClaimUnmatched = {
  unmatchedId: bigint;
  offerId: number;
  orderId: string;
  /** Paise; null where it names none. */
  amount: Paise | null;
  /** It names a click that is known and so belongs to somebody. */
  hasKnownClick: boolean;
  receivedAt: number;
};

/** A click of the shopper's on a link to an offer of the merchant. */
export type ClaimClick = { clickId: bigint; offerId: number };

export type ClaimEvidence = {
  conversions: readonly ClaimConversion[];
  unmatched: readonly ClaimUnmatched[];
  clicks: readonly ClaimClick[];
};

export type ClaimJudgement =
  | { kind: 'tracked'; conversion: ClaimConversion }
  | { kind: 'unmatched'; unmatchedId: bigint; clickId: bigint }
  | {
      kind: 'operator';
      rule: 'nobodys_conversion' | 'several_postbacks' | 'other_amount' | 'no_click' | 'nothing_found';
    };

const DAY_MS = 86_400_000;

/** Decides by the rules above. */
export function judgeClaim(
  claim: MissingClaim,
  evidence: ClaimEvidence,
  attributionWindowDays: number,
): ClaimJudgement {
  const order = orderKey(claim.orderId);
  const sameOrder = evidence.conversions.filter(({ txnId }) => txnId !== null && orderKey(txnId) === order);
  const own = sameOrder.find(({ isOwn }) => isOwn);
  if (own !== undefined) return { kind: 'tracked', conversion: own };
  if (sameOrder.some(({ isNobodys }) => isNobodys)) return { kind: 'operator', rule: 'nobodys_conversion' };
  const candidates = evidence.unmatched.filter((row) => orderKey(row.orderId) === order && !row.hasKnownClick);
  if (candidates.length === 0)
    return { kind: 'operator', rule: evidence.clicks.length === 0 ? 'no_click' : 'nothing_found' };
  if (candidates.length > 1) return { kind: 'operator', rule: 'several_postbacks' };
  const [row] = candidates;
  if (row === undefined || (row.amount !== null && row.amount !== claim.amount))
    return { kind: 'operator', rule: 'other_amount' };
  const clickId = lastClickBefore(evidence.clicks, row, attributionWindowDays);
  return clickId === null
    ? { kind: 'operator', rule: 'no_click' }
    : { kind: 'unmatched', unmatchedId: row.unmatchedId, clickId };
}

/** Order ids are compared as people copy them: case and spaces around do not count. */
export function orderKey(orderId: string): string {
  return orderId.trim().toLowerCase();
}

function lastClickBefore(clicks: readonly ClaimClick[], row: ClaimUnmatched, windowDays: number): bigint | null {
  let last: bigint | null = null;
  for (const { clickId, offerId } of clicks) {
    const age = row.receivedAt - clickIdTime(clickId);
    if (offerId !== row.offerId || age < 0 || age > windowDays * DAY_MS) continue;
    if (last === null || clickId > last) last = clickId;
  }
  return last;
}
