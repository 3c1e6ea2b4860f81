import { type PayoutConfig, payoutConfig } from './config.ts';
import type { PayoutDeps } from './deps.ts';
import { countSubrequests } from './subrequests.ts';

/** One run of a payout schedule: what it takes from outside, its settings, and when it takes up nothing new. */
export type PayoutRun = PayoutDeps & {
  readonly config: PayoutConfig;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** True once its time or what the platform allows an invocation is used up: what was begun is ended, the next run continues. */
  isOver(): boolean;
};

/**
 * Begins a run. A nightly one may take `share` times as long as a regular one.
 * @throws ConfigError
 */
export function beginRun(deps: PayoutDeps, share = 1): PayoutRun {
  const config = payoutConfig(deps.settings);
  const startedAt = deps.clock.now();
  const deadline = startedAt + config.runMs * share;
  const { counted, isUsedUp } = countSubrequests(deps);
  return { ...counted, config, startedAt, isOver: () => isUsedUp() || deps.clock.now() >= deadline };
}

/** What a run did, as its report tells. */
export type PayoutCounts = {
  reserved: number;
  issued: number;
  paid: number;
  /** Outcome unknown or throttled: asked again later with the same id. */
  retried: number;
  held: number;
  /** Refused, refunded, or not finished because of an error of our own. */
  failed: number;
};

export function noCounts(): PayoutCounts {
  return { reserved: 0, issued: 0, paid: 0, retried: 0, held: 0, failed: 0 };
}
