import type { LimitRule } from '../domain/limit.ts';

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
export type VelocityCalls = {
  /** How many conversions lie in the 24 hours that end with this one; each alias counts once (money rule 19). */
  record(alias: string, at: number): Promise<number>;
};
