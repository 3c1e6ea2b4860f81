import type { Random } from '@hissaback/shared/domain/chance';

/** Chance for the world's own decisions: everything that happens in a simulation comes from one of these. */
export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** True with a probability from 0 to 1. */
  chance(probability: number): boolean {
    return this.#fraction() < probability;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#fraction() * (high - low + 1));
  }

  /** One of them. Throws a RangeError for an empty list. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.between(0, items.length - 1)] as T;
  }

  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.between(0, last);
      const held = shuffled[last] as T;
      shuffled[last] = shuffled[other] as T;
      shuffled[other] = held;
    }
    return shuffled;
  }

  #fraction(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#random.bytes(4);
    return (((a << 24) >>> 0) + (b << 16) + (c << 8) + d) / 2 ** 32;
  }
}

/** A number from any text, the same on every machine (FNV-1a): seeds a stream of its own. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
