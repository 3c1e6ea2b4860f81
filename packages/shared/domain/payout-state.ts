import type { AgcodError, AgcodOutcome } from './agcod-outcome.ts';
import { retryDelay, throttleDelay } from './retry-schedule.ts';

export type PayoutStatus =
  | 'queued'
  | 'sending'
  | 'issued'
  | 'paid'
  | 'error_hard'
  | 'error_soft'
  | 'held'
  | 'cancelled';

/** One call for a payout. */
export type Attempt = {
  /** The value of `payouts.attempts` while it runs; an answer is applied only while it still is (money rule 15). */
  readonly number: number;
  /** When it began, milliseconds since the Unix epoch: the next one is counted from here. */
  readonly startedAt: number;
};

/** Why operators are told. */
export type PayoutAlarm = 'refused' | 'refused_later' | 'mismatch' | 'refunded' | 'strange_answer';

/** Where an attempt's outcome takes its payout. Times are milliseconds since the Unix epoch. */
export type PayoutDecision =
  | { readonly to: 'issued'; readonly gcId: string; readonly claimCode: string; readonly alarm: null }
  | { readonly to: 'cancelled'; readonly gcId: string; readonly alarm: PayoutAlarm }
  | { readonly to: 'error_hard'; readonly error: AgcodError; readonly alarm: PayoutAlarm }
  | {
      readonly to: 'sending' | 'held' | 'error_soft';
      readonly attempts: number;
      readonly nextAttemptAt: number;
      readonly error: AgcodError | null;
      readonly alarm: PayoutAlarm | null;
    };

/**
 * Decides what an outcome does to a payout that is `sending`.
 * Nothing is returned to the payee while a card may exist: only a refund, or an input error as the first and sole answer, does that (money rule 14).
 * A throttled call counts as no attempt. A held one does not use up the schedule, but stays an answer: a refusal after it is not the first.
 *
 * @param now milliseconds since the Unix epoch
 * @param heldForMs how long a held payout waits before it is asked for again
 * @param chance one random byte
 */
export function decide(
  outcome: AgcodOutcome,
  attempt: Attempt,
  now: number,
  heldForMs: number,
  chance: number,
): PayoutDecision {
  switch (outcome.kind) {
    case 'issued':
      return { to: 'issued', gcId: outcome.gcId, claimCode: outcome.claimCode, alarm: null };
    case 'refunded':
      return { to: 'cancelled', gcId: outcome.gcId, alarm: 'refunded' };
    case 'throttled': {
      const nextAttemptAt = now + throttleDelay(chance);
      return { to: 'sending', attempts: attempt.number - 1, nextAttemptAt, error: null, alarm: null };
    }
    case 'held': {
      const attempts = Math.max(attempt.number - 1, 1);
      return { to: 'held', attempts, nextAttemptAt: now + heldForMs, error: outcome.error, alarm: null };
    }
    case 'refused':
      if (attempt.number === 1) return { to: 'error_hard', error: outcome.error, alarm: 'refused' };
      return askAgain(attempt, now, outcome.error, 'refused_later');
    case 'mismatch':
      return askAgain(attempt, now, outcome.error, 'mismatch');
    case 'unknown':
      return askAgain(attempt, now, outcome.error, outcome.alarming ? 'strange_answer' : null);
  }
}

function askAgain(attempt: Attempt, now: number, error: AgcodError, alarm: PayoutAlarm | null): PayoutDecision {
  const delay = retryDelay(attempt.number);
  const attempts = attempt.number;
  // The nightly run takes whatever is `error_soft`, so it is due at once.
  if (delay === null) return { to: 'error_soft', attempts, nextAttemptAt: now, error, alarm };
  return { to: 'sending', attempts, nextAttemptAt: attempt.startedAt + delay, error, alarm };
}

/** What an outcome says about the partner account, for the breaker (money rule 16). */
export function accountSign(outcome: AgcodOutcome): 'works' | 'trouble' | 'unclear' {
  if (outcome.kind === 'held') return 'trouble';
  return outcome.kind === 'unknown' || outcome.kind === 'throttled' ? 'unclear' : 'works';
}
