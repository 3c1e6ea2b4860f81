import type { Clock, Random } from './chance.ts';

/** 2024-01-01T00:00:00Z in milliseconds since the Unix epoch: time zero of our BIGINT ids. */
export const ID_EPOCH_MS = Date.UTC(2024, 0, 1);

const RANDOM_BITS = 22n;
const MAX_ID = 2n ** 63n - 1n;
const MAX_AHEAD_MS = 5 * 60_000;

/**
 * A positive BIGINT that carries its own time: `(milliseconds since 2024) << 22 | 22 random bits`. Clicks, conversions, ledger and journal
 * rows all use it. Two ids of one millisecond collide with a chance of 1 in 4 million: a unique key decides (money rule 7).
 * Throws a RangeError if the clock stands before 2024 or after 2093.
 */
export function mintId(clock: Clock, random: Random): bigint {
  const sinceEpoch = BigInt(Math.trunc(clock.now()) - ID_EPOCH_MS);
  const [a = 0, b = 0, c = 0] = random.bytes(3);
  const id = (sinceEpoch << RANDOM_BITS) | BigInt(((a & 0x3f) << 16) | (b << 8) | c);
  if (sinceEpoch <= 0n || id > MAX_ID) throw new RangeError('the clock is outside the range of ids');
  return id;
}

/** A new click id. */
export function mintClickId(clock: Clock, random: Random): bigint {
  return mintId(clock, random);
}

/**
 * When the click happened, in milliseconds since the Unix epoch: its `created_at` and therefore its partition (money rule 3).
 * In SQL: `timestamptz '2024-01-01T00:00:00Z' + (click_id >> 22) * interval '1 millisecond'`.
 */
export function clickIdTime(clickId: bigint): number {
  return Number(clickId >> RANDOM_BITS) + ID_EPOCH_MS;
}

/**
 * A bare click id from outside, or null: decimal digits without sign or leading zeros, positive, below 2^63, and not more than five minutes
 * ahead of `now` (milliseconds since the Unix epoch).
 */
export function parseClickId(text: string, now: number): bigint | null {
  if (!/^[1-9]\d{0,18}$/.test(text)) return null;
  const id = BigInt(text);
  if (id > MAX_ID || clickIdTime(id) > now + MAX_AHEAD_MS) return null;
  return id;
}
