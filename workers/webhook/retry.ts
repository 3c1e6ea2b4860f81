const LONGEST_DELAY_SECONDS = 3_600;

/** Seconds until a message is tried again: doubling from 2 s up to an hour (money rule 18). */
export function retryDelay(attempts: number): number {
  return Math.min(LONGEST_DELAY_SECONDS, 2 ** Math.min(attempts, 12));
}
