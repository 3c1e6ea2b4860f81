import type { SessionCalls } from '@hissaback/shared/contracts/durable-objects';
import type { Random } from '@hissaback/shared/domain/chance';
import { equalBytes } from '@hissaback/shared/domain/mac';
import { encodeRefreshToken, refreshTokenMac } from '@hissaback/shared/domain/refresh-token';
import {
  isSessionLive,
  refreshSession,
  revokeSession,
  type SessionState,
  startSession,
} from '@hissaback/shared/domain/session';
import type { SessionNamespace } from '@hissaback/shared/http/auth-context';

/** The sessions' objects with their rules, in memory. */
export type FakeSessions = {
  namespace: SessionNamespace;
  calls(sessionId: string): SessionCalls;
  /** Number of coming calls that fail. */
  failing: number;
  /** How often an object was asked, for counting what a request costs. */
  asked: number;
};

export function fakeSessions(random: Random): FakeSessions {
  const states = new Map<string, SessionState>();
  const fake: FakeSessions = {
    failing: 0,
    asked: 0,
    calls: (name) => callsOf(name),
    namespace: {
      idFromName: (name) => ({ toString: () => name }) as DurableObjectId,
      get: (id) => callsOf(id.toString()),
    },
  };
  const answer = <T>(value: T | Promise<T>): Promise<T> => {
    fake.asked++;
    if (fake.failing-- > 0) return Promise.reject(new Error('the object is moving'));
    fake.failing = 0;
    return Promise.resolve(value);
  };
  async function genuine(name: string, generation: number, mac: Uint8Array): Promise<SessionState | null> {
    const state = states.get(name);
    if (state === undefined || state.revokedAt !== null || generation > state.generation) return null;
    return equalBytes(await refreshTokenMac(state.secret, name, generation), mac) ? state : null;
  }
  const callsOf = (name: string): SessionCalls => ({
    async start(sessionId, userId, now) {
      const state = startSession({ sessionId, userId, secret: random.bytes(32) }, now);
      states.set(name, state);
      const mac = await refreshTokenMac(state.secret, sessionId, 0);
      return answer(encodeRefreshToken({ sessionId, generation: 0, mac }));
    },
    async refresh(generation, mac, now) {
      const before = await genuine(name, generation, mac);
      if (before === null) return answer({ outcome: 'refused' as const });
      const { outcome, state } = refreshSession(before, generation, now);
      states.set(name, state);
      if (outcome === 'refused') return answer({ outcome });
      if (outcome === 'reused') return answer({ outcome, userId: state.userId });
      const next = await refreshTokenMac(before.secret, name, generation + 1);
      const refreshToken = encodeRefreshToken({ sessionId: name, generation: generation + 1, mac: next });
      return answer({ outcome, userId: state.userId, refreshToken });
    },
    isLive: (now) => {
      const state = states.get(name);
      return answer(state !== undefined && isSessionLive(state, now));
    },
    async logOut(generation, mac, now) {
      const state = await genuine(name, generation, mac);
      if (state !== null) states.set(name, revokeSession(state, now));
      return answer(state?.userId ?? null);
    },
    revoke: (now) => {
      const state = states.get(name);
      if (state !== undefined && fake.failing <= 0) states.set(name, revokeSession(state, now));
      return answer(undefined);
    },
  });
  return fake;
}
