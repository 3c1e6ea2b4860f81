const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** The spec's "after 6h" (section 5): the time of the tenth attempt, counted from the first. */
const LAST_ATTEMPT_AT_MS = 6 * 60 * MINUTE_MS;
const FIRST_DELAYS_MS = [3 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];
const FURTHER_DELAYS = 6;
const FURTHER_DELAY_MS = (LAST_ATTEMPT_AT_MS - FIRST_DELAYS_MS.reduce((sum, delay) => sum + delay, 0)) / FURTHER_DELAYS;
const RETRY_DELAYS_MS: readonly number[] = [...FIRST_DELAYS_MS, ...Array(FURTHER_DELAYS).fill(FURTHER_DELAY_MS)];
const SMS_DELAYS_MS: readonly number[] = [1, 5, 15, 30, 60].map((minutes) => minutes * MINUTE_MS);
const THROTTLE_SHORTEST_MS = 15 * SECOND_MS;
const THROTTLE_SPREAD_MS = 15 * SECOND_MS;

/** How long a claimed payout is nobody else's, in milliseconds: longer than any call, so that a crash costs a minute. */
export const LEASE_MS = 60 * SECOND_MS;

/** The attempt whose failure makes a payout `error_soft` (spec section 5). */
export const LAST_ATTEMPT = RETRY_DELAYS_MS.length + 1;

/**
 * Milliseconds from the begin of attempt number `attempt` (1 is the first) to the next: attempts at 0, 3, 8 and 23 minutes, then evenly, the
 * tenth at 6 hours. Null when the schedule is used up.
 */
export function retryDelay(attempt: number): number | null {
  return RETRY_DELAYS_MS[Math.max(attempt, 1) - 1] ?? null;
}

/** Milliseconds from a failed SMS, the `attempt`-th, to the next try: 1, 5, 15, 30, then every 60 minutes. */
export function smsDelay(attempt: number): number {
  return SMS_DELAYS_MS[Math.min(Math.max(attempt, 1), SMS_DELAYS_MS.length) - 1] ?? MINUTE_MS;
}

/** Milliseconds until a throttled call is tried again: 15 to 30 seconds. `chance` is one random byte. */
export function throttleDelay(chance: number): number {
  return THROTTLE_SHORTEST_MS + Math.floor((THROTTLE_SPREAD_MS * chance) / 255);
}
