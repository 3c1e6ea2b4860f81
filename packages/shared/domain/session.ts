const DAY_MS = 86_400_000;

/** How long a refresh token lives when it is not used, in seconds (the spec's section 4). */
export const SESSION_SECONDS = 30 * 86_400;
/** How long the token before the current one still answers with its successor, in milliseconds: two tabs refresh at once. */
export const REFRESH_GRACE_MS = 10_000;
/** How long a revoked session is remembered, in milliseconds: the spec's blacklist of 30 days. */
const REMEMBERED_MS = 30 * DAY_MS;

/** One login and every refresh token that descends from it. Times are milliseconds since the Unix epoch. */
export type SessionState = {
  sessionId: string;
  userId: string;
  /** Keys the family's refresh tokens; gone once the session is revoked. */
  secret: Uint8Array<ArrayBuffer>;
  /** The one generation of refresh tokens that may be used next. */
  generation: number;
  /** When that generation was made. */
  rotatedAt: number;
  revokedAt: number | null;
};

export type RefreshDecision = {
  /**
   * `rotated`: used for the first time. `repeated`: used again within the grace, the successor is the same. `reused`: used again later, so somebody copied
   * it: the family is revoked. `refused`: of a session that is over.
   */
  outcome: 'rotated' | 'repeated' | 'reused' | 'refused';
  state: SessionState;
};

/** A session at its login. */
export function startSession(login: Pick<SessionState, 'sessionId' | 'userId' | 'secret'>, now: number): SessionState {
  return { ...login, generation: 0, rotatedAt: now, revokedAt: null };
}

/** True while the session's tokens are good: not revoked, and refreshed within the last 30 days. */
export function isSessionLive(state: SessionState, now: number): boolean {
  return state.revokedAt === null && now < state.rotatedAt + SESSION_SECONDS * 1000;
}

/**
 * Uses a refresh token of the family. Store the state whatever the outcome: a revocation stands although the answer is an error.
 *
 * @param generation of a token whose MAC was checked: a forged one decides nothing
 */
export function refreshSession(state: SessionState, generation: number, now: number): RefreshDecision {
  if (!isSessionLive(state, now) || generation > state.generation) return { outcome: 'refused', state };
  if (generation === state.generation) {
    return { outcome: 'rotated', state: { ...state, generation: generation + 1, rotatedAt: now } };
  }
  if (generation === state.generation - 1 && now < state.rotatedAt + REFRESH_GRACE_MS) {
    return { outcome: 'repeated', state };
  }
  return { outcome: 'reused', state: revokeSession(state, now) };
}

/** Ends a session; what is over stays as it is. */
export function revokeSession(state: SessionState, now: number): SessionState {
  return state.revokedAt === null ? { ...state, secret: new Uint8Array(0), revokedAt: now } : state;
}

/** When nothing of a session matters any more, in milliseconds since the Unix epoch: no token of it is good then, and an unknown session has none. */
export function sessionForgottenAt(state: SessionState): number {
  return state.revokedAt === null ? state.rotatedAt + SESSION_SECONDS * 1000 : state.revokedAt + REMEMBERED_MS;
}
