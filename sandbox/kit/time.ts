import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

/** Where a stand-in takes its time from: milliseconds since the epoch. */
export type Clock = { now(): number };
/** Where a stand-in takes its chance from. */
export type Random = { bytes(count: number): Uint8Array };

export const systemClock: Clock = { now: () => Date.now() };
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };

/** Waits `ms` milliseconds; rejects when the server that waits is closed. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await wait(ms, undefined, { signal });
}

/** `bytes` random bytes in lower-case hexadecimal. */
export function randomHex(random: Random, bytes: number): string {
  return Buffer.from(random.bytes(bytes)).toString('hex');
}
