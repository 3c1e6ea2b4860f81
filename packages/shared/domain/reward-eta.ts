import type { LedgerStatus } from './conversion.ts';
import type { Paise } from './money.ts';
import type { PayoutStatus } from './payout-state.ts';

/** Payouts run every minute, releases every five; what ten attempts could not settle is tried at 20:45 UTC. */
const PAYOUT_EVERY_MS = 60_000;
const RELEASE_EVERY_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
const NIGHTLY_AT_MS = (20 * 60 + 45) * 60_000;

/** What a reward waits for: the return period, somebody's look, enough for a payout, or the shopper's PAN. */
export type WaitsFor = 'cool_off' | 'review' | 'minimum' | 'kyc';

export type RewardStep = {
  /** When the next step is due, milliseconds since the Unix epoch; null: nothing is, or nobody can say when. */
  readonly eta: number | null;
  readonly waitsFor: WaitsFor | null;
};

/** The payout that a reward is on its way in. */
export type RewardPayout = {
  readonly status: PayoutStatus;
  /** When it is taken up next, milliseconds since the Unix epoch. */
  readonly dueAt: number;
  /** An operator holds it. */
  readonly isHeld: boolean;
};

/** A reward with the balance it is part of; amounts in paise. */
export type AwaitedReward = {
  readonly status: LedgerStatus;
  /** End of the cool-off, milliseconds since the Unix epoch. */
  readonly releaseAt: number;
  /** The network has approved the purchase. */
  readonly isApproved: boolean;
  /** Confirmed at that tenant, and in no payout yet. */
  readonly available: Paise;
  /** Null while it is in no payout, or in one that is over. */
  readonly payout: RewardPayout | null;
};

export type PayoutTerms = {
  /** From this much on a balance is paid. */
  readonly minimum: Paise;
  /** What may still be paid this year without KYC; null for any amount. */
  readonly room: Paise | null;
  /** A refused payout of the shopper's waits for an operator: nothing else is paid until then. */
  readonly isBlocked: boolean;
  /** A kill switch stops the tenant's payouts. */
  readonly isStopped: boolean;
};

/**
 * What happens to a reward next. While it is pending that is its release after the cool-off, at the next run if the cool-off is over and the network has
 * approved it; then the next payout, as soon as the balance reaches the minimum and the year's total allows it; then the payout's own next step.
 *
 * @param now milliseconds since the Unix epoch
 */
export function nextStep(reward: AwaitedReward, terms: PayoutTerms, now: number): RewardStep {
  const { status, releaseAt } = reward;
  switch (status) {
    case 'pending':
      return { eta: releaseAt > now ? releaseAt : releaseAfter(reward, now), waitsFor: 'cool_off' };
    case 'review':
      // A person decides, not before the cool-off is over.
      return { eta: releaseAt > now ? releaseAt : null, waitsFor: 'review' };
    case 'confirmed':
      return confirmed(reward, terms, now);
    default:
      return { eta: null, waitsFor: null };
  }
}

function releaseAfter({ isApproved }: AwaitedReward, now: number): number | null {
  return isApproved ? nextRun(now, RELEASE_EVERY_MS) : null;
}

function confirmed({ available, payout }: AwaitedReward, terms: PayoutTerms, now: number): RewardStep {
  // What was not called for yet waits as well.
  if (terms.isBlocked && (payout === null || payout.status === 'queued')) return { eta: null, waitsFor: 'review' };
  if (payout !== null) return { eta: terms.isStopped ? null : payoutStep(payout, now), waitsFor: null };
  if (available < terms.minimum) return { eta: null, waitsFor: 'minimum' };
  if (terms.room !== null && terms.room < terms.minimum) return { eta: null, waitsFor: 'kyc' };
  return { eta: terms.isStopped ? null : nextRun(now, PAYOUT_EVERY_MS), waitsFor: null };
}

function payoutStep({ status, dueAt, isHeld }: RewardPayout, now: number): number | null {
  if (isHeld || status === 'held') return null;
  if (status === 'error_soft') return nextRun(now - NIGHTLY_AT_MS, DAY_MS) + NIGHTLY_AT_MS;
  return Math.max(nextRun(now, PAYOUT_EVERY_MS), Math.ceil(dueAt / PAYOUT_EVERY_MS) * PAYOUT_EVERY_MS);
}

function nextRun(now: number, every: number): number {
  return (Math.floor(now / every) + 1) * every;
}
