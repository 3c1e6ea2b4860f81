import { describe, expect, it } from 'vitest';
import { type AwaitedReward, nextStep } from './reward-eta.ts';

const NOW = Date.parse('2026-11-10T06:02:30Z');
const DAY = 86_400_000;
const TERMS = { minimum: 10_000n, room: null };
const reward = (change: Partial<AwaitedReward>): AwaitedReward => ({
  status: 'confirmed',
  releaseAt: NOW - DAY,
  payable: 10_000n,
  available: 10_000n,
  ...change,
});

describe('what a reward waits for, and until when', () => {
  it('pending: until the cool-off is over; then for the next release', () => {
    const cooling = reward({ status: 'pending', releaseAt: NOW + DAY });
    expect(nextStep(cooling, TERMS, NOW)).toEqual({ eta: NOW + DAY, waitsFor: 'cool_off' });
    const over = nextStep(reward({ status: 'pending' }), TERMS, NOW);
    expect(over).toEqual({ eta: Date.parse('2026-11-10T06:05:00Z'), waitsFor: 'cool_off' });
  });

  it('under review: nobody can say when, once the cool-off is over', () => {
    expect(nextStep(reward({ status: 'review', releaseAt: NOW + DAY }), TERMS, NOW).eta).toBe(NOW + DAY);
    expect(nextStep(reward({ status: 'review' }), TERMS, NOW)).toEqual({ eta: null, waitsFor: 'review' });
  });

  it('confirmed: for the next payout, if the balance reaches the minimum', () => {
    expect(nextStep(reward({}), TERMS, NOW)).toEqual({ eta: Date.parse('2026-11-10T06:03:00Z'), waitsFor: null });
    expect(nextStep(reward({ payable: 9_999n }), TERMS, NOW)).toEqual({ eta: null, waitsFor: 'minimum' });
  });

  it('confirmed above the yearly total without KYC: for the PAN; what is on its way already comes', () => {
    const full = { ...TERMS, room: 9_999n };
    expect(nextStep(reward({}), full, NOW)).toEqual({ eta: null, waitsFor: 'kyc' });
    expect(nextStep(reward({ available: 0n }), full, NOW).waitsFor).toBeNull();
    expect(nextStep(reward({}), { ...TERMS, room: 10_000n }, NOW).waitsFor).toBeNull();
  });

  it.each(['paid', 'rejected', 'reversed'] as const)('%s: nothing', (status) =>
    expect(nextStep(reward({ status }), TERMS, NOW)).toEqual({ eta: null, waitsFor: null }),
  );
});
