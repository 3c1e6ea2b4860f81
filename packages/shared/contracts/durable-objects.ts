import type { LimitRule } from '../domain/limit.ts';

/** The address of a Durable Object, as far as anybody but the runtime needs it. */
export type ObjectId = { toString(): string; equals(other: ObjectId): boolean };

// What workers may ask of the Durable Objects. The classes implement these; times are milliseconds since the Unix epoch.

export type OtpRequested =
  | {
      ok: true;
      nonce: Uint8Array<ArrayBuffer>;
      /** The one time the code is seen outside of the message: the caller sends it and forgets it. */
      code: string;
      /** How long it is valid, in milliseconds. */
      validityMs: number;
    }
  | { ok: false; reason: 'cooldown' | 'hourly_limit'; retryAfterMs: number };

/** One phone's codes; the object's name is the phone in E.164. */
export type OtpCalls = {
  request(phone: string, now: number): Promise<OtpRequested>;
  verify(nonce: Uint8Array<ArrayBuffer>, code: string, now: number): Promise<{ phone: string } | null>;
  cancel(nonce: Uint8Array<ArrayBuffer>, outcome: 'not_sent' | 'unknown'): Promise<void>;
};

export type LimitAnswer = {
  allowed: boolean;
  /** Requests left in the window. */
  remaining: number;
  /** Milliseconds until the oldest counted request is forgotten. */
  resetMs: number;
};

/** One limit; the object's name is the limit's and what it counts by. */
export type LimitCalls = { take(rule: LimitRule, now: number): Promise<LimitAnswer> };

/** One shopper's conversions; the object's name is the shopper's or, while unknown, the visitor's. */
/** A conversion as the velocity objects count it; `at` in milliseconds since the Unix epoch. */
export type VelocityEvent = { shopper: string; alias: string; at: number };

export type VelocityCalls = {
  /** For each, how many of its shopper's conversions lie in the 24 hours that end with it; each alias counts once (money rule 19). */
  record(events: readonly VelocityEvent[]): Promise<number[]>;
};

export type SessionRefreshed =
  | { outcome: 'rotated' | 'repeated'; userId: string; refreshToken: string }
  /** A used token came back after the grace: the session is revoked. */
  | { outcome: 'reused'; userId: string }
  /** No session, a forged token, or a session that is over. */
  | { outcome: 'refused' };

/** One session: a login and the refresh tokens that descend from it. The object's name is the session's id. */
export type SessionCalls = {
  /** Begins the session and hands out its first refresh token. */
  start(sessionId: string, userId: string, now: number): Promise<string>;
  /** Uses a refresh token: its number and its proof. */
  refresh(generation: number, mac: Uint8Array<ArrayBuffer>, now: number): Promise<SessionRefreshed>;
  /** False once revoked or unused for 30 days, and of a session that never was. */
  isLive(now: number): Promise<boolean>;
  /** Revokes on the word of a refresh token, used or not. Answers whose session it is, or null for a forged one. */
  logOut(generation: number, mac: Uint8Array<ArrayBuffer>, now: number): Promise<string | null>;
  revoke(now: number): Promise<void>;
};

/** A namespace of objects that answer `Calls`. */
export type ObjectNamespace<Calls> = {
  idFromName(name: string): ObjectId;
  idFromString(id: string): ObjectId;
  get(id: ObjectId): Calls;
};
