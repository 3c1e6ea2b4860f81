import { describe, expect, test } from 'vitest';
import { type ClaimConversion, type ClaimEvidence, type ClaimUnmatched, judgeClaim } from './missing-cashback.ts';

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 10, 1, 12);
/** The id of a click so many days before the postback. */
const click = (days: number, offerId = 7) => ({
  clickId: BigInt(NOON - days * DAY - Date.UTC(2024, 0, 1)) << 22n,
  offerId,
  linkId: 'link',
});
const postback = (change: Partial<ClaimUnmatched> = {}): ClaimUnmatched => ({
  unmatchedId: 1n,
  offerId: 7,
  orderId: 'A1',
  reason: 'unknown_click',
  amount: 1_000n,
  payout: null,
  commission: { pct: 800n },
  hasKnownClick: false,
  reportedAt: NOON,
  ...change,
});
const conversion = (change: Partial<ClaimConversion> = {}): ClaimConversion => ({
  convId: 5n,
  tenantId: 't',
  offerId: 7,
  clickId: click(0.5).clickId,
  txnId: 'A1',
  whose: 'nobodys',
  amounts: [1_000n],
  occurredAt: NOON,
  status: 'pending',
  ...change,
});
const judged = (evidence: Partial<ClaimEvidence>, change: { purchasedOn?: number; rivals?: number } = {}) =>
  judgeClaim(
    { orderId: ' a1', amount: 1_000n, purchasedOn: Date.UTC(2026, 10, 1), rivals: 0, ...change },
    { conversions: [], unmatched: [], clicks: [], ...evidence },
    90,
  );

describe('a claim is linked without a person', () => {
  test('to the shopper’s own conversion of that order', () => {
    const own = conversion({ whose: 'own', amounts: [] });
    expect(judged({ conversions: [own], unmatched: [postback()] })).toEqual({ kind: 'tracked', conversion: own });
  });

  test('to the shopper’s only conversion of that amount and time, where the network gave it no order id', () => {
    const own = conversion({ whose: 'own', txnId: null });
    expect(judged({ conversions: [own] })).toEqual({ kind: 'tracked', conversion: own });
    for (const other of [
      [own, { ...own, convId: 6n }],
      [{ ...own, amounts: [999n] }],
      [{ ...own, occurredAt: NOON - 2 * DAY }],
      [{ ...own, whose: 'nobodys' as const }],
    ])
      expect(judged({ conversions: other }).kind).toBe('operator');
  });

  test('to the one postback of that order and amount, by the shopper’s last click on that offer before it', () => {
    const clicks = [click(80), click(2), click(1, 8), click(-1)];
    const linked = { kind: 'unmatched', unmatchedId: 1n, clickId: click(2).clickId };
    expect(judged({ unmatched: [postback()], clicks })).toEqual(linked);
    expect(judged({ unmatched: [postback({ amount: null, payout: 80n })], clicks })).toEqual(linked);
  });

  test('to the one conversion of that order and amount that is nobody’s, with a click of the shopper’s beside its own', () => {
    const sale = conversion();
    for (const clicks of [[click(0.4)], [click(0.6)], [click(1.4)]])
      expect(judged({ conversions: [sale], clicks })).toEqual({ kind: 'nobodys', conversion: sale });
    // Partly reversed since: what was paid is what the shopper claims.
    expect(judged({ conversions: [conversion({ amounts: [1_000n, 300n] })], clicks: [click(0.4)] }).kind).toBe(
      'nobodys',
    );
  });
});

describe('a claim waits for an operator', () => {
  const near = [click(0.4)];
  test.each([
    ['nothing is found', {}, 'no_click'],
    ['there are clicks only', { clicks: [click(1)] }, 'nothing_found'],
    ['another amount was reported', { unmatched: [postback({ amount: 999n })], clicks: [click(1)] }, 'other_amount'],
    ['no amount was reported', { unmatched: [postback({ amount: null })], clicks: [click(1)] }, 'amount_unknown'],
    [
      'the commission is not that of the amount',
      { unmatched: [postback({ amount: null, payout: 79n })], clicks: [click(1)] },
      'other_amount',
    ],
    [
      'the commission is the same for every amount',
      { unmatched: [postback({ amount: null, payout: 80n, commission: { fixed: 80n } })], clicks: [click(1)] },
      'amount_unknown',
    ],
    [
      'two postbacks fit',
      { unmatched: [postback(), postback({ unmatchedId: 2n })], clicks: [click(1)] },
      'several_postbacks',
    ],
    [
      'a postback of that amount names no order',
      { unmatched: [postback({ orderId: '' })], clicks: [click(1)] },
      'amount_only',
    ],
    ['the only click is too old', { unmatched: [postback()], clicks: [click(91)] }, 'no_click'],
    ['the only click came after', { unmatched: [postback()], clicks: [click(-1)] }, 'no_click'],
    ['the only click is on another offer', { unmatched: [postback()], clicks: [click(1, 8)] }, 'no_click'],
    [
      'the postback names somebody’s click',
      { unmatched: [postback({ hasKnownClick: true })], clicks: [click(1)] },
      'known_click',
    ],
    [
      'the sale is another shopper’s',
      { conversions: [conversion({ whose: 'another_shoppers' })], clicks: near },
      'another_shoppers',
    ],
    [
      'the sale is of a visitor who may yet log in',
      { conversions: [conversion({ whose: 'unclaimed_visitors' })], clicks: near },
      'unclaimed_visitors',
    ],
    ['the sale is nobody’s and there is no click', { conversions: [conversion()] }, 'nobodys_conversion'],
    [
      'the only click was long before the sale’s',
      { conversions: [conversion()], clicks: [click(2)] },
      'nobodys_conversion',
    ],
    [
      'the only click came after the sale',
      { conversions: [conversion()], clicks: [click(-0.1)] },
      'nobodys_conversion',
    ],
    [
      'the only click is on another of the shop’s offers',
      { conversions: [conversion()], clicks: [click(0.4, 8)] },
      'nobodys_conversion',
    ],
    [
      'nobody’s sale has another amount',
      { conversions: [conversion({ amounts: [999n] })], clicks: near },
      'other_amount',
    ],
    [
      'nobody’s sale has gone to somebody as unclaimed',
      { conversions: [conversion({ status: 'confirmed' })], clicks: near },
      'expired',
    ],
    ['nobody’s sale has no amount', { conversions: [conversion({ amounts: [] })], clicks: near }, 'amount_unknown'],
    [
      'two sales have that order',
      { conversions: [conversion(), conversion({ convId: 6n })], clicks: near },
      'several_conversions',
    ],
  ] as const)('when %s', (_, evidence, rule) => {
    expect(judged(evidence)).toEqual({ kind: 'operator', rule });
  });

  test('when the date is another, or somebody else claims that order as well', () => {
    const sale = { conversions: [conversion()], clicks: near };
    const words = { unmatched: [postback()], clicks: [click(1)] };
    for (const evidence of [sale, words]) {
      expect(judged(evidence, { purchasedOn: Date.UTC(2026, 10, 3) })).toEqual({
        kind: 'operator',
        rule: 'other_date',
      });
      expect(judged(evidence, { purchasedOn: Date.UTC(2026, 10, 2) }).kind).not.toBe('operator');
      expect(judged(evidence, { purchasedOn: Date.UTC(2026, 8, 30) })).toEqual({
        kind: 'operator',
        rule: 'other_date',
      });
      expect(judged(evidence, { rivals: 1 })).toEqual({ kind: 'operator', rule: 'several_claims' });
    }
  });
});
