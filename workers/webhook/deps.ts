import type { Clock, Random } from '@hissaback/shared/domain/chance';

/** What every handler takes from outside, so that a simulation replays to the byte. */
export type Deps = {
  clock: Clock;
  random: Random;
  fetch: typeof fetch;
};
