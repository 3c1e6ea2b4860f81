import type { LedgerStatus } from './conversion.ts';
import type { Paise } from './money.ts';

/** Payouts run every minute, releases every five. */
const PAYOUT_EVERY_MS = 60_000;
const RELEASE_EVERY_MS = 5 * 60_000;

/** What a reward waits for: the return period, somebody's look, enough for a payout, or the shopper's PAN. */
export type WaitsFor = 'cool_off' | 'review' | 'minimum' | 'kyc';

export type RewardStep = {
  /** When the next step is due, milliseconds since the Unix epoch; null: nothing is, or nobody can say when. */
  readonly eta: number | null;
  readonly waitsFor: WaitsFor | null;
};

/** A reward with the balance it is part of; amounts in paise. */
export type AwaitedReward = {
  readonly status: LedgerStatus;
  /** End of the cool-off, milliseconds since the Unix epoch. */
  readonly releaseAt: number;
  /** Confirmed at that tenant, reserved for a payout or not. */
  readonly payable: Paise;
  /** The part of it that no payout was made for yet. */
  readonly available: Paise;
};

export type PayoutTerms = {
  /** From this much on a balance is paid. */
  readonly minimum: Paise;
  /** What may still be paid this year without KYC; null for any amount. */
  readonly room: Paise | null;
};

/**
 * What happens to a reward next. While it is pending that is its release after the cool-off, at the next run if the cool-off is over; then the next payout,
 * as soon as the balance reaches the minimum and the year's total allows it.
 *
 * @param now milliseconds since the Unix epoch
 */
export function nextStep(reward: AwaitedReward, terms: PayoutTerms, now: number): RewardStep {
  const { status, releaseAt } = reward;
  switch (status) {
    case 'pending':
      return { eta: releaseAt > now ? releaseAt : nextRun(now, RELEASE_EVERY_MS), waitsFor: 'cool_off' };
    case 'review':
      // A person decides, not before the cool-off is over.
      return { eta: releaseAt > now ? releaseAt : null, waitsFor: 'review' };
    case 'confirmed':
      if (reward.payable < terms.minimum) return { eta: null, waitsFor: 'minimum' };
      if (terms.room !== null && terms.room < terms.minimum && reward.available >= terms.minimum)
        return { eta: null, waitsFor: 'kyc' };
      return { eta: nextRun(now, PAYOUT_EVERY_MS), waitsFor: null };
    default:
      return { eta: null, waitsFor: null };
  }
}

function nextRun(now: number, every: number): number {
  return (Math.floor(now / every) + 1) * every;
}
