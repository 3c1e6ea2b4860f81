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
