/** Slices a window is counted in: a limit forgets a request up to one slice late, never early. */
const SLICES = 60;

export type LimitRule = {
  /** Requests allowed within any trailing window. */
  limit: number;
  /** Length of the window, in milliseconds. */
  windowMs: number;
};

/** Requests counted per slice of time, oldest first; `slice` is time divided by the slice's length. */
export type LimitState = readonly { slice: number; count: number }[];

export type LimitDecision = {
  allowed: boolean;
  /** Requests left in this window. */
  remaining: number;
  /** Milliseconds until the oldest counted request is forgotten. */
  resetMs: number;
  state: LimitState;
};

/**
 * Counts a request if the window has room for it. Refused requests are not counted. Never more than `limit` pass within any window, at the price of
 * remembering each up to a sixtieth of the window too long.
 *
 * @param now milliseconds since the Unix epoch; a clock that steps back counts into the newest slice
 */
export function takeLimit(state: LimitState, rule: LimitRule, now: number): LimitDecision {
  const width = rule.windowMs / SLICES;
  const newest = state.at(-1);
  const slice = Math.max(Math.floor(now / width), newest?.slice ?? 0);
  const live = state.filter((entry) => entry.slice >= slice - SLICES);
  const used = live.reduce((sum, entry) => sum + entry.count, 0);
  const allowed = used < rule.limit;
  const next = allowed ? counted(live, slice) : live;
  const oldest = next[0]?.slice ?? slice;
  return {
    allowed,
    remaining: Math.max(0, rule.limit - used - (allowed ? 1 : 0)),
    resetMs: Math.max(0, (oldest + SLICES + 1) * width - now),
    state: next,
  };
}

/** When a state is empty of meaning, in milliseconds since the Unix epoch. */
export function limitForgottenAt(state: LimitState, rule: LimitRule): number {
  return ((state.at(-1)?.slice ?? 0) + SLICES + 1) * (rule.windowMs / SLICES);
}

function counted(state: LimitState, slice: number): LimitState {
  const newest = state.at(-1);
  if (newest?.slice !== slice) return [...state, { slice, count: 1 }];
  return [...state.slice(0, -1), { slice, count: newest.count + 1 }];
}
