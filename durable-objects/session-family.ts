import { DurableObject } from 'cloudflare:workers';
import type { SessionCalls, SessionRefreshed } from '@hissaback/shared/contracts/durable-objects';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { equalBytes } from '@hissaback/shared/domain/mac';
import { encodeRefreshToken, refreshTokenMac } from '@hissaback/shared/domain/refresh-token';
import {
  isSessionLive,
  refreshSession,
  revokeSession,
  type SessionState,
  sessionForgottenAt,
  startSession,
} from '@hissaback/shared/domain/session';

const SECRET_BYTES = 32;

/**
 * One session and the refresh tokens of its family, addressed by the session's id. The rules are domain/session; this keeps their state. A token is its number in
 * the family and a MAC by the family's own secret: none is stored, all that were ever handed out are known, and the same number is always the same token.
 * Times are milliseconds since the Unix epoch.
 */
export class SessionFamilyObject extends DurableObject implements SessionCalls {
  /** Begins the session. Throws an Error if there is one already: ids are random and used once. */
  async start(sessionId: string, userId: string, now: number): Promise<string> {
    const secret = systemRandom.bytes(SECRET_BYTES);
    const mac = await refreshTokenMac(secret, sessionId, 0);
    if (this.#load() !== null) throw new Error('the session has begun before');
    await this.#save(startSession({ sessionId, userId, secret }, now));
    return encodeRefreshToken({ sessionId, generation: 0, mac });
  }

  async refresh(generation: number, mac: Uint8Array<ArrayBuffer>, now: number): Promise<SessionRefreshed> {
    const genuine = await this.#genuine(generation, mac);
    if (genuine === null) return { outcome: 'refused' };
    const next = await refreshTokenMac(genuine.secret, genuine.sessionId, generation + 1);
    // Nothing is awaited from here to the write, so of two uses at once the second finds the first.
    const state = this.#load();
    if (state === null) return { outcome: 'refused' };
    const decision = refreshSession(state, generation, now);
    if (decision.state !== state) await this.#save(decision.state);
    const { outcome } = decision;
    const { userId, sessionId } = state;
    if (outcome === 'refused') return { outcome };
    if (outcome === 'reused') return { outcome, userId };
    return { outcome, userId, refreshToken: encodeRefreshToken({ sessionId, generation: generation + 1, mac: next }) };
  }

  async isLive(now: number): Promise<boolean> {
    const state = this.#load();
    return state !== null && isSessionLive(state, now);
  }

  async logOut(generation: number, mac: Uint8Array<ArrayBuffer>, now: number): Promise<string | null> {
    const genuine = await this.#genuine(generation, mac);
    if (genuine === null) return null;
    await this.revoke(now);
    return genuine.userId;
  }

  async revoke(now: number): Promise<void> {
    const state = this.#load();
    const revoked = state === null ? null : revokeSession(state, now);
    if (revoked !== null && revoked !== state) await this.#save(revoked);
  }

  override async alarm(): Promise<void> {
    const state = this.#load();
    const forgottenAt = state === null ? 0 : sessionForgottenAt(state);
    if (forgottenAt <= systemClock.now()) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(forgottenAt);
  }

  /** The session as it is now, if the token was handed out by it and it is not revoked. */
  async #genuine(generation: number, mac: Uint8Array<ArrayBuffer>): Promise<SessionState | null> {
    const state = this.#load();
    if (state === null || state.revokedAt !== null || generation > state.generation) return null;
    const known = await refreshTokenMac(state.secret, state.sessionId, generation);
    return equalBytes(known, mac) ? state : null;
  }

  #load(): SessionState | null {
    return this.ctx.storage.kv.get<SessionState>('session') ?? null;
  }

  #save(state: SessionState): Promise<void> {
    this.ctx.storage.kv.put('session', state);
    return this.ctx.storage.setAlarm(sessionForgottenAt(state));
  }
}
