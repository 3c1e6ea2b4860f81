import type { Clock, Random } from './chance.ts';

/** A clock that moves only when told to. */
export type FixedClock = Clock & {
  /** Moves the clock by a number of milliseconds. */
  advance(milliseconds: number): void;
  /** Sets the clock to a time in milliseconds since the Unix epoch. */
  set(milliseconds: number): void;
};

/** A clock that stands at `start`: milliseconds since the Unix epoch, or an RFC 3339 time. */
export function fixedClock(start: number | string): FixedClock {
  let time = typeof start === 'number' ? start : Date.parse(start);
  if (!Number.isFinite(time)) throw new RangeError(`not a time: ${start}`);
  return {
    now: () => time,
    advance: (milliseconds) => {
      time += milliseconds;
    },
    set: (milliseconds) => {
      time = milliseconds;
    },
  };
}

/** The same bytes for the same seed, on every machine (SplitMix32). For tests and simulations only. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return {
    bytes: (length) => {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index++) bytes[index] = next() >>> 24;
      return bytes;
    },
  };
}
