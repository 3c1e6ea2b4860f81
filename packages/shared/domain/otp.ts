import type { Random } from './chance.ts';
import { equalBytes } from './mac.ts';

/** Requests per phone and hour (the spec's section 4). */
export const OTP_REQUESTS_PER_HOUR = 5;
/** Milliseconds before another code may be sent to the same phone. */
export const OTP_COOLDOWN_MS = 60_000;
/** The longest a code may be valid, in milliseconds, and its default. */
export const OTP_MAX_VALIDITY_MS = 600_000;
/** Checks per code, right and wrong alike. */
export const OTP_MAX_CHECKS = 5;

const HOUR_MS = 3_600_000;

/** The code on its way to a phone: only a keyed hash of it is kept. */
export type PendingCode = {
  /** The random part of the request id; a code answers to its own request only. */
  nonce: Uint8Array;
  keyId: number;
  hash: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  expiresAt: number;
  checks: number;
};

/** Everything remembered of one phone. Times are milliseconds since the Unix epoch. */
export type OtpState = {
  /** Requests of the last hour, oldest first. */
  requests: readonly number[];
  cooldownUntil: number;
  code: PendingCode | null;
};

export const NO_OTP_STATE: OtpState = { requests: [], cooldownUntil: 0, code: null };

export type OtpRequestDecision =
  | { ok: true; state: OtpState }
  | { ok: false; reason: 'cooldown' | 'hourly_limit'; retryAfterMs: number };

/** Takes a request for a code into account, or says when the next one is welcome. The new code replaces the one before it. */
export function requestOtp(
  state: OtpState,
  now: number,
  code: Pick<PendingCode, 'nonce' | 'keyId' | 'hash'>,
  validityMs: number = OTP_MAX_VALIDITY_MS,
): OtpRequestDecision {
  const requests = recent(state.requests, now);
  const [oldest] = requests;
  if (oldest !== undefined && requests.length >= OTP_REQUESTS_PER_HOUR) {
    return { ok: false, reason: 'hourly_limit', retryAfterMs: oldest + HOUR_MS - now };
  }
  if (now < state.cooldownUntil) return { ok: false, reason: 'cooldown', retryAfterMs: state.cooldownUntil - now };
  const expiresAt = now + Math.min(validityMs, OTP_MAX_VALIDITY_MS);
  return {
    ok: true,
    state: {
      requests: [...requests, now],
      cooldownUntil: now + OTP_COOLDOWN_MS,
      code: { ...code, expiresAt, checks: 0 },
    },
  };
}

/**
 * Checks a code. The check is counted before the comparison says anything, so store the state whatever the outcome, and let nothing come in between.
 * A right code is used up and ends the cooldown; the last wrong one drops the code. A request id that is not this code's costs no check: it is no guess.
 *
 * @param hash the keyed hash of what was typed, made with the pending code's key
 */
export function checkOtp(
  state: OtpState,
  now: number,
  guess: { nonce: Uint8Array; keyId: number; hash: Uint8Array },
): { verified: boolean; state: OtpState } {
  const { code } = state;
  if (code === null || !equalBytes(code.nonce, guess.nonce)) return { verified: false, state };
  if (now >= code.expiresAt || code.checks >= OTP_MAX_CHECKS)
    return { verified: false, state: { ...state, code: null } };
  const checks = code.checks + 1;
  if (code.keyId === guess.keyId && equalBytes(code.hash, guess.hash)) {
    return { verified: true, state: { ...state, cooldownUntil: 0, code: null } };
  }
  return { verified: false, state: { ...state, code: checks < OTP_MAX_CHECKS ? { ...code, checks } : null } };
}

/**
 * Takes back a request whose code did not go out: the code is dropped and the cooldown ends. The request stops counting only if nothing was sent for certain; after
 * a silence of the gateway the message may still arrive, and be paid for.
 */
export function cancelOtp(state: OtpState, nonce: Uint8Array, outcome: 'not_sent' | 'unknown'): OtpState {
  if (state.code === null || !equalBytes(state.code.nonce, nonce)) return state;
  const requests = outcome === 'not_sent' ? state.requests.slice(0, -1) : state.requests;
  return { requests, cooldownUntil: 0, code: null };
}

/** When nothing of a state matters any more, in milliseconds since the Unix epoch. */
export function otpForgottenAt(state: OtpState): number {
  return Math.max((state.requests.at(-1) ?? 0) + HOUR_MS, state.cooldownUntil, state.code?.expiresAt ?? 0);
}

/** Six digits, each of the million equally likely. */
export function mintOtpCode(random: Random): string {
  const limit = 2 ** 32 - (2 ** 32 % 1_000_000);
  for (;;) {
    const value = new DataView(random.bytes(4).buffer).getUint32(0);
    if (value < limit) return String(value % 1_000_000).padStart(6, '0');
  }
}

/** True for what may be a code: six ASCII digits. */
export function isOtpCode(text: string): boolean {
  return /^[0-9]{6}$/.test(text);
}

function recent(requests: readonly number[], now: number): readonly number[] {
  return requests.filter((at) => at > now - HOUR_MS);
}
