import type { Clock } from './time.ts';

/** Admits at most `limit` calls in any `windowMs` milliseconds; refused calls do not count. 0 means no limit. */
export class RateWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #clock: Clock;
  #admitted: number[] = [];

  constructor(limit: number, windowMs: number, clock: Clock) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  admit(): boolean {
    if (this.#limit === 0) return true;
    const now = this.#clock.now();
    // A clock moved backwards must not keep old calls in the window for ever.
    this.#admitted = this.#admitted.filter((at) => at > now - this.#windowMs && at <= now);
    if (this.#admitted.length >= this.#limit) return false;
    this.#admitted.push(now);
    return true;
  }

  clear(): void {
    this.#admitted = [];
  }
}
