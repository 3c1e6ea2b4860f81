const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DELAYS_MS: readonly number[] = [
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS),
];

/** Failed attempts in a row, over all its deliveries, after which an endpoint is disabled. */
export const MOST_FAILURES = 50;
/** How long an endpoint may fail without a single success, in milliseconds: 5 days. */
export const LONGEST_FAILURE_MS = 5 * 24 * HOUR_MS;
/** So few failures say nothing, however long ago the first was: a quiet tenant has few events. */
const FEWEST_FAILURES = 5;
/** How long the secret before a rotation signs beside the new one, in milliseconds: 24 hours. */
export const ROTATION_MS = 24 * HOUR_MS;

/** Milliseconds from the `attempt`-th failed attempt (1 is the first) to the next: ten attempts over three days. Null when they are used up. */
export function nextAttemptDelay(attempt: number): number | null {
  return DELAYS_MS[Math.max(attempt, 1) - 1] ?? null;
}

/**
 * True if an endpoint has failed for so long that it is disabled.
 *
 * @param failures in a row
 * @param since the first of them, and `now`, in milliseconds since the Unix epoch
 */
export function isLastingFailure(failures: number, since: number, now: number): boolean {
  return failures >= MOST_FAILURES || (failures >= FEWEST_FAILURES && now - since >= LONGEST_FAILURE_MS);
}
