import { type LimitDecision, type LimitRule, type LimitState, takeLimit } from '../domain/limit.ts';
import { ProblemError } from './problem.ts';

/** The state of one limit after a request; seconds until more is allowed. */
export type RateLimitState = {
  /** The limit's name, letters and dashes. */
  policy: string;
  /** Requests per window. */
  limit: number;
  /** Length of the window, in seconds. */
  window: number;
  /** Requests left now. */
  remaining: number;
  /** Seconds until a request is allowed again, or until the window renews. */
  reset: number;
};

/** `RateLimit` and `RateLimit-Policy` as the IETF draft writes them. */
export function rateLimitHeaders(state: RateLimitState): Record<string, string> {
  return {
    'ratelimit-policy': `"${state.policy}";q=${state.limit};w=${state.window}`,
    ratelimit: `"${state.policy}";r=${Math.max(0, state.remaining)};t=${Math.max(0, Math.ceil(state.reset))}`,
  };
}

/** 429 with `Retry-After` and the limit's headers. */
export function rateLimited(state: RateLimitState, detail?: string): ProblemError {
  return new ProblemError('rate_limited', {
    ...(detail !== undefined && { detail }),
    headers: {
      ...rateLimitHeaders({ ...state, remaining: 0 }),
      'retry-after': String(Math.max(1, Math.ceil(state.reset))),
    },
  });
}

/** Addresses counted at most; the longest unseen are forgotten first. */
const MAX_COUNTED = 20_000;

/** Counts requests in this isolate's memory. One isolate sees a part of a client's requests only: it is the rate-limit binding that counts them all. */
export class LocalCount {
  readonly #states = new Map<string, LimitState>();

  /** Counts one of `key` at `now` (milliseconds since the Unix epoch) if the rule has room for it. */
  take(key: string, rule: LimitRule, now: number): Omit<LimitDecision, 'state'> {
    const { state, ...decision } = takeLimit(this.#states.get(key) ?? [], rule, now);
    this.#states.delete(key);
    this.#states.set(key, state);
    const [oldest] = this.#states.keys();
    if (this.#states.size > MAX_COUNTED && oldest !== undefined) this.#states.delete(oldest);
    return decision;
  }
}
