/** Chance that can be rolled again: the same seed gives the same rolls. */
export type Dice = {
  /** 0 <= n < `below`. */
  int(below: number): number;
  pick<T>(items: readonly T[]): T;
  /** True in `share` of the rolls, 0..1. */
  happens(share: number): boolean;
};

/** Dice by mulberry32. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    pick(items) {
      const item = items[int(items.length)];
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return item as (typeof items)[number];
    },
    happens: (share) => next() < share,
  };
}
