import { describe, expect, it } from 'vitest';
import { refuseResend, type VoucherMessage, voucherReference } from './voucher-message.ts';

const NOW = Date.parse('2026-11-10T06:00:00Z');
const MINUTE = 60_000;
const message = (change: Partial<VoucherMessage> = {}): VoucherMessage => ({
  number: 1,
  status: 'accepted',
  delivery: null,
  begunAt: NOW - 11 * MINUTE,
  ...change,
});

describe('whether a voucher’s message may be sent once more', () => {
  it.each(['queued', 'sending', 'issued', 'held', 'error_hard', 'error_soft', 'cancelled'] as const)(
    'not while the payout is %s',
    (status) => expect(refuseResend(status, [message({ delivery: 'failed' })], NOW)).toBe('wrong_status'),
  );

  it('when the last one failed or was refused, at once; when no report came, after ten minutes', () => {
    const soon = { begunAt: NOW - MINUTE };
    expect(refuseResend('paid', [message({ ...soon, delivery: 'failed' })], NOW)).toBeNull();
    expect(refuseResend('paid', [message({ ...soon, status: 'refused' })], NOW)).toBeNull();
    expect(refuseResend('paid', [message(soon)], NOW)).toBe('report_awaited');
    expect(refuseResend('paid', [message({ ...soon, status: 'unknown' })], NOW)).toBe('report_awaited');
    expect(refuseResend('paid', [message()], NOW)).toBeNull();
    expect(refuseResend('paid', [], NOW)).toBeNull();
  });

  it('not when any of them arrived, and not while one is being sent', () => {
    const failed = message({ number: 2, delivery: 'failed' });
    expect(refuseResend('paid', [message({ delivery: 'delivered' }), failed], NOW)).toBe('delivered_already');
    const sending = message({ number: 3, status: 'sending', begunAt: NOW - 59_000 });
    expect(refuseResend('paid', [sending, failed], NOW)).toBe('under_way');
    expect(refuseResend('paid', [{ ...sending, begunAt: NOW - MINUTE }, failed], NOW)).toBeNull();
  });
});

it('a reference names payout and sending', () => {
  expect(voucherReference('11111111-1111-4111-8111-111111111111', 2)).toBe('11111111-1111-4111-8111-111111111111-2');
});
