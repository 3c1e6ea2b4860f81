import type { Clock, Random } from '@hissaback/shared/domain/chance';

/** What every handler takes from outside, so that a simulation replays to the byte. */
export type Deps = {
  clock: Clock;
  random: Random;
  fetch: typeof fetch;
  /** Waits for a number of milliseconds, between calls that a partner limits; by a timer unless told. */
  sleep?: (milliseconds: number) => Promise<void>;
};
