/** Where the time comes from: milliseconds since the Unix epoch. */
export type Clock = { now(): number };

/** Where unpredictability comes from: `length` fresh bytes. */
export type Random = { bytes(length: number): Uint8Array<ArrayBuffer> };

/** The machine's clock. Only an entry file hands it out; logic takes a `Clock`. */
export const systemClock: Clock = { now: () => Date.now() };

/** Cryptographic randomness. Only an entry file hands it out; logic takes a `Random`. */
export const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };

/**
 * The same randomness, fetched `size` bytes at a time: for many small demands, each of which would cost more to ask for than to fill. What was handed out is
 * erased here.
 */
export function pooled(random: Random, size: number): Random {
  let pool = new Uint8Array(0);
  let used = 0;
  return {
    bytes(length) {
      if (length > size) return random.bytes(length);
      if (pool.length - used < length) {
        pool = random.bytes(size);
        used = 0;
      }
      const taken = pool.slice(used, used + length);
      pool.fill(0, used, used + length);
      used += length;
      return taken;
    },
  };
}
