import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_REPORTS, otpReference, readDeliveryReports } from './delivery-report.ts';

const PAYOUT = '11111111-1111-4111-8111-111111111111';
const VOUCHER = { by: 'voucher', payoutId: PAYOUT, number: 2 };

describe('what the gateway reports', () => {
  it('as a form whose data is JSON (version 2)', () => {
    const report = {
      date: '2026-11-10 11:30:00',
      number: '919812345678',
      status: '1',
      desc: 'DELIVERED',
      CRQID: `${PAYOUT}-2`,
    };
    const data = JSON.stringify([
      { senderId: 'HISSBK', requestId: 'r1', report: [report], userId: '1', campaignName: 'API' },
    ]);
    expect(readDeliveryReports({ data })).toEqual([{ message: VOUCHER, delivery: 'delivered', reason: null }]);
  });

  it('as JSON, one or several (versions 3 and new)', () => {
    const one = { requestId: 'r1', number: '919812345678', CRQID: '0', status: '2', desc: 'FAILED' };
    const byId = { message: { by: 'id', messageId: 'r1' }, delivery: 'failed', reason: 'FAILED' };
    expect(readDeliveryReports(one)).toEqual([byId]);
    expect(readDeliveryReports([one, { ...one, requestId: 7, status: 'Delivered' }])).toEqual([
      byId,
      { message: { by: 'id', messageId: '7' }, delivery: 'delivered', reason: null },
    ]);
  });

  it('of a notification, by its reference', () => {
    expect(readDeliveryReports({ reference: 'tracked-c123', status: 'delivered' })).toEqual([
      { message: { by: 'notification', kind: 'tracked', subject: 'c123' }, delivery: 'delivered', reason: null },
    ]);
  });

  it.each(['1', '2', '9', '16', '17', '25'])('knows the code %s', (status) =>
    expect(readDeliveryReports({ requestId: 'r', status })?.[0]?.delivery).toBe(
      status === '1' ? 'delivered' : 'failed',
    ),
  );

  it('steps on the way, and what is about nothing, are passed by', () => {
    for (const status of ['', '0', '8', 'submitted', 'queued', 'toString', '__proto__'])
      expect(readDeliveryReports({ requestId: 'r', status })).toEqual([]);
    for (const body of [
      null,
      'x',
      5,
      [],
      {},
      [null, 1, 'x', []],
      { data: 'x' },
      { data: '5' },
      { data: null },
      { status: '1' },
    ])
      expect(readDeliveryReports(body)).toEqual([]);
    for (const id of ['', ' ', 'a b', 'x'.repeat(101), 'é', '\u0000'])
      expect(readDeliveryReports({ requestId: id, status: '1' })).toEqual([]);
    expect(readDeliveryReports({ CRQID: `${PAYOUT}-99999999999`, status: '1' })).toEqual([]);
    expect(readDeliveryReports({ CRQID: otpReference(PAYOUT), requestId: 'r', status: '1' })).toEqual([]);
  });

  it('keeps of the reason no number that may be a phone or a code', () => {
    const reason = (failedReason: string) =>
      readDeliveryReports({ requestId: 'r', status: '2', failedReason })?.[0]?.reason;
    expect(reason('Blocked by operator, error 27')).toBe('Blocked by operator error 27');
    expect(reason('to 919812345678 code ABCD-EFGHJ2-LMNP not sent')).toBe('to code ABCD LMNP not sent');
    expect(reason(`${'long '.repeat(40)}`)?.length).toBeLessThanOrEqual(60);
    expect(reason('<b>\u0000</b>')).toBe('b b');
    expect(reason('\u202e!!')).toBeNull();
  });

  it('more than the most at once are refused', () => {
    const report = { requestId: 'r', status: '1' };
    expect(readDeliveryReports(Array(MOST_REPORTS).fill(report))).toHaveLength(MOST_REPORTS);
    expect(readDeliveryReports(Array(MOST_REPORTS + 1).fill(report))).toBeNull();
    expect(readDeliveryReports([{ report: Array(MOST_REPORTS + 1).fill(report) }])).toBeNull();
  });

  it('whatever comes, nothing breaks', () => {
    const hostile = fc.property(fc.jsonValue(), (value) => {
      readDeliveryReports(value);
      readDeliveryReports({ data: JSON.stringify(value) });
      readDeliveryReports([{ requestId: 'r', status: value, desc: value, report: value, CRQID: value }]);
    });
    expect(fc.check(hostile, { numRuns: 200 }).failed).toBe(false);
  });
});
