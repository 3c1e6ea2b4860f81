import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NETWORK_STATUSES, readNetworkRow, readPostback } from './postback.ts';

const postback = (say: Record<string, string> = {}) =>
  readPostback({ click_id: '123', offer_id: '7', sale_amount: '1234.56', status: 'approved', ...say });
const row = (say: Record<string, string> = {}) => readNetworkRow({ campaign_id: '7', status: 'approved', ...say });

describe('a postback', () => {
  test('is read with all it says', () => {
    expect(
      postback({ txn_id: ' A-1 ', payout: '12.5', currency: 'inr', goal_id: 'g', country: 'in', _id: 'n' }),
    ).toEqual({
      ok: true,
      report: {
        ...{ click: '123', offerId: 7, orderValue: 123_456n, status: 'approved', txnId: 'A-1', networkId: 'n' },
        ...{ goalId: 'g', payout: 1_250n, currency: 'INR', country: 'IN', occurredAt: null, publisherId: null },
      },
    });
  });

  test.each(NETWORK_STATUSES)('may say %s in any letters', (status) => {
    expect(postback({ status: status.toUpperCase() })).toMatchObject({ ok: true, report: { status } });
  });

  test.each([
    ['missing_click', { click_id: '' }],
    ['unknown_click', { click_id: 'x'.repeat(81) }],
    ['unsubstituted_macro', { click_id: '{click_id}' }],
    ['unsubstituted_macro', { sale_amount: '{sale_amount}' }],
    ['unsubstituted_macro', { txn_id: '{txn_id}' }],
    ['bad_offer', { offer_id: '' }],
    ['bad_offer', { offer_id: '07' }],
    ['bad_offer', { offer_id: '2147483648' }],
    ['bad_amount', { sale_amount: '' }],
    ['bad_amount', { sale_amount: '-1' }],
    ['bad_amount', { sale_amount: '1e3' }],
    ['bad_amount', { sale_amount: '10000000.01' }],
    ['bad_amount', { payout: '' }],
    ['bad_amount', { payout: 'ten' }],
    ['bad_status', { status: 'paid' }],
    ['bad_currency', { currency: 'RUPEE' }],
    ['bad_id', { txn_id: 'x'.repeat(129) }],
    ['bad_id', { txn_id: 'a\u0000b' }],
    ['bad_id', { goal_id: 'x'.repeat(65) }],
  ])('is bad payload and not zero rupees: %s for %j', (reason, say) => {
    expect(postback(say)).toEqual({ ok: false, reason });
  });

  test('takes an empty optional id or currency for a missing one, and a country that is none for none', () => {
    expect(postback({ txn_id: ' ', goal_id: '', currency: '', country: 'India' })).toMatchObject({
      ok: true,
      report: { txnId: null, goalId: null, currency: null, country: null },
    });
  });

  test('never throws, and never reads an amount below zero, whatever it says', () => {
    const names = fc.constantFrom(
      'click_id',
      'offer_id',
      'sale_amount',
      'status',
      'txn_id',
      'payout',
      'currency',
      'created',
    );
    fc.assert(
      fc.property(fc.dictionary(names, fc.string({ unit: 'binary' })), (raw) => {
        for (const reading of [readPostback(raw), readNetworkRow(raw)])
          if (reading.ok)
            expect((reading.report.orderValue ?? 0n) >= 0n && (reading.report.payout ?? 0n) >= 0n).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a row of the network’s list', () => {
  test('names our click as p1, its own time and publisher, and may say no amount', () => {
    expect(
      row({
        p1: 'ours',
        click_id: 'theirs',
        _id: 'n1',
        created: '2026-11-01T10:00:00Z',
        publisher_id: '70',
        payout: '8',
      }),
    ).toMatchObject({
      ok: true,
      report: {
        ...{ click: 'ours', networkId: 'n1', occurredAt: Date.UTC(2026, 10, 1, 10), publisherId: '70' },
        ...{ orderValue: null, payout: 800n },
      },
    });
    expect(row({ created: 'yesterday' })).toMatchObject({
      ok: true,
      report: { occurredAt: null, click: null, payout: null },
    });
  });
});
