/** Where the time comes from: milliseconds since the Unix epoch. */
export type Clock = { now(): number };

/** Where unpredictability comes from: `length` fresh bytes. */
export type Random = { bytes(length: number): Uint8Array<ArrayBuffer> };

/** The machine's clock. Only an entry file hands it out; logic takes a `Clock`. */
export const systemClock: Clock = { now: () => Date.now() };

/** Cryptographic randomness. Only an entry file hands it out; logic takes a `Random`. */
export const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };
