import { describe, expect, test } from 'vitest';
import { type ClaimEvidence, type ClaimUnmatched, judgeClaim } from './missing-cashback.ts';

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 10, 1, 12);
/** The id of a click so many days before the postback. */
const click = (days: number, offerId = 7) => ({
  clickId: BigInt(NOON - days * DAY - Date.UTC(2024, 0, 1)) << 22n,
  offerId,
});
const postback = (change: Partial<ClaimUnmatched> = {}): ClaimUnmatched => ({
  ...{ unmatchedId: 1n, offerId: 7, orderId: 'A1', amount: 1_000n, hasKnownClick: false, receivedAt: NOON },
  ...change,
});
const conversion = { convId: 5n, tenantId: 't', txnId: 'A1', isOwn: false, isNobodys: false };
const judged = (evidence: Partial<ClaimEvidence>) =>
  judgeClaim({ orderId: ' a1', amount: 1_000n }, { conversions: [], unmatched: [], clicks: [], ...evidence }, 90);

describe('a claim is linked without a person', () => {
  test('to the shopper’s own conversion of that order', () => {
    const own = { ...conversion, isOwn: true };
    expect(judged({ conversions: [own], unmatched: [postback()] })).toEqual({ kind: 'tracked', conversion: own });
  });

  test('to the one postback of that order and amount, by the shopper’s last click on that offer before it', () => {
    const clicks = [click(80), click(2), click(1, 8), click(-1)];
    expect(judged({ unmatched: [postback()], clicks })).toEqual({
      kind: 'unmatched',
      unmatchedId: 1n,
      clickId: click(2).clickId,
    });
    expect(judged({ unmatched: [postback({ amount: null })], clicks }).kind).toBe('unmatched');
  });
});

describe('a claim waits for an operator', () => {
  test.each([
    ['nothing is found', {}, 'no_click'],
    ['there are clicks only', { clicks: [click(1)] }, 'nothing_found'],
    ['another amount was reported', { unmatched: [postback({ amount: 999n })], clicks: [click(1)] }, 'other_amount'],
    [
      'two postbacks fit',
      { unmatched: [postback(), postback({ unmatchedId: 2n })], clicks: [click(1)] },
      'several_postbacks',
    ],
    ['the only click is too old', { unmatched: [postback()], clicks: [click(91)] }, 'no_click'],
    ['the only click came after', { unmatched: [postback()], clicks: [click(-1)] }, 'no_click'],
    ['the only click is on another offer', { unmatched: [postback()], clicks: [click(1, 8)] }, 'no_click'],
    [
      'the postback names somebody’s click',
      { unmatched: [postback({ hasKnownClick: true })], clicks: [click(1)] },
      'nothing_found',
    ],
    [
      'the conversion is nobody’s',
      { conversions: [{ ...conversion, isNobodys: true }], clicks: [click(1)] },
      'nobodys_conversion',
    ],
  ] as const)('when %s', (_, evidence, rule) => {
    expect(judged(evidence)).toEqual({ kind: 'operator', rule });
  });

  test('when the conversion of that order is somebody else’s, and nothing of it is told', () => {
    expect(judged({ conversions: [conversion], clicks: [click(1)] })).toEqual({
      kind: 'operator',
      rule: 'nothing_found',
    });
  });
});
