import { describe, expect, it } from 'vitest';
import { type AwaitedReward, nextStep, type RewardPayout } from './reward-eta.ts';

const NOW = Date.parse('2026-11-10T06:02:30Z');
const DAY = 86_400_000;
const TERMS = { minimum: 10_000n, room: null, isBlocked: false, isStopped: false };
const reward = (change: Partial<AwaitedReward>): AwaitedReward => ({
  status: 'confirmed',
  releaseAt: NOW - DAY,
  isApproved: true,
  available: 10_000n,
  payout: null,
  ...change,
});
const at = (text: string): number => Date.parse(text);

describe('what a reward waits for, and until when', () => {
  it('pending: until the cool-off is over; then for the next release, once the network has approved it', () => {
    const cooling = reward({ status: 'pending', releaseAt: NOW + DAY });
    expect(nextStep(cooling, TERMS, NOW)).toEqual({ eta: NOW + DAY, waitsFor: 'cool_off' });
    const over = reward({ status: 'pending' });
    expect(nextStep(over, TERMS, NOW)).toEqual({ eta: at('2026-11-10T06:05:00Z'), waitsFor: 'cool_off' });
    expect(nextStep({ ...over, isApproved: false }, TERMS, NOW)).toEqual({ eta: null, waitsFor: 'cool_off' });
    expect(nextStep({ ...cooling, isApproved: false }, TERMS, NOW).eta).toBe(NOW + DAY);
  });

  it('under review: nobody can say when, once the cool-off is over', () => {
    expect(nextStep(reward({ status: 'review', releaseAt: NOW + DAY }), TERMS, NOW).eta).toBe(NOW + DAY);
    expect(nextStep(reward({ status: 'review' }), TERMS, NOW)).toEqual({ eta: null, waitsFor: 'review' });
  });

  it('confirmed: for the next payout, if what is not on its way yet reaches the minimum', () => {
    expect(nextStep(reward({}), TERMS, NOW)).toEqual({ eta: at('2026-11-10T06:03:00Z'), waitsFor: null });
    expect(nextStep(reward({ available: 9_999n }), TERMS, NOW)).toEqual({ eta: null, waitsFor: 'minimum' });
  });

  it('confirmed above the yearly total without KYC: for the PAN', () => {
    const full = { ...TERMS, room: 9_999n };
    expect(nextStep(reward({}), full, NOW)).toEqual({ eta: null, waitsFor: 'kyc' });
    expect(nextStep(reward({}), { ...TERMS, room: 10_000n }, NOW).waitsFor).toBeNull();
  });

  it('confirmed while an operator must look at a refused payout, or payouts are stopped: nobody can say when', () => {
    const blocked = { ...TERMS, isBlocked: true };
    const payout = { status: 'queued', dueAt: NOW, isHeld: false } as const;
    expect(nextStep(reward({}), blocked, NOW)).toEqual({ eta: null, waitsFor: 'review' });
    expect(nextStep(reward({ payout }), blocked, NOW)).toEqual({ eta: null, waitsFor: 'review' });
    expect(nextStep(reward({ payout: { ...payout, status: 'issued' } }), blocked, NOW).eta).not.toBeNull();
    expect(nextStep(reward({}), { ...TERMS, isStopped: true }, NOW)).toEqual({ eta: null, waitsFor: null });
  });

  it('in a payout: for that payout’s next step, whatever the balance is', () => {
    const terms = { ...TERMS, room: 0n };
    const eta = (payout: Partial<RewardPayout>): number | null => {
      const under = { status: 'sending', dueAt: NOW - 1, isHeld: false, ...payout } as const;
      const step = nextStep(reward({ available: 0n, payout: under }), terms, NOW);
      expect(step.waitsFor).toBeNull();
      return step.eta;
    };
    for (const status of ['queued', 'sending', 'issued'] as const)
      expect(eta({ status })).toBe(at('2026-11-10T06:03:00Z'));
    expect(eta({ status: 'issued', dueAt: at('2026-11-10T06:20:00.001Z') })).toBe(at('2026-11-10T06:21:00Z'));
    expect(eta({ status: 'error_soft' })).toBe(at('2026-11-10T20:45:00Z'));
    expect(eta({ status: 'held' })).toBeNull();
    expect(eta({ status: 'issued', isHeld: true })).toBeNull();
    const night = nextStep(
      reward({ payout: { status: 'error_soft', dueAt: NOW, isHeld: false } }),
      TERMS,
      at('2026-11-10T20:45:00Z'),
    );
    expect(night.eta).toBe(at('2026-11-11T20:45:00Z'));
  });

  it.each(['paid', 'rejected', 'reversed'] as const)('%s: nothing', (status) =>
    expect(nextStep(reward({ status }), TERMS, NOW)).toEqual({ eta: null, waitsFor: null }),
  );
});
