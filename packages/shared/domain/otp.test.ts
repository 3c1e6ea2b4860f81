import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from './chance.fake.ts';
import {
  cancelOtp,
  checkOtp,
  isOtpCode,
  mintOtpCode,
  NO_OTP_STATE,
  OTP_COOLDOWN_MS,
  OTP_MAX_CHECKS,
  OTP_MAX_VALIDITY_MS,
  OTP_REQUESTS_PER_HOUR,
  type OtpState,
  otpForgottenAt,
  requestOtp,
} from './otp.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');
const HOUR = 3_600_000;
const bytes = (value: number) => new Uint8Array(16).fill(value);
const code = (nonce: number, hash: number) => ({ nonce: bytes(nonce), keyId: 1, hash: bytes(hash) });

function requested(state: OtpState, now: number, nonce = 1, hash = 7, validityMs?: number): OtpState {
  const decision = requestOtp(state, now, code(nonce, hash), validityMs);
  if (!decision.ok) throw new Error(decision.reason);
  return decision.state;
}

describe('a code', () => {
  const state = requested(NO_OTP_STATE, NOW);

  test('is right once only', () => {
    const first = checkOtp(state, NOW, code(1, 7));
    expect(first.verified).toBe(true);
    expect(checkOtp(first.state, NOW, code(1, 7)).verified).toBe(false);
  });

  test('is valid for less than ten minutes and no longer', () => {
    expect(checkOtp(state, NOW + OTP_MAX_VALIDITY_MS - 1, code(1, 7)).verified).toBe(true);
    expect(checkOtp(state, NOW + OTP_MAX_VALIDITY_MS, code(1, 7)).verified).toBe(false);
  });

  test('is never valid for longer than ten minutes, whatever the setting', () => {
    expect(requested(NO_OTP_STATE, NOW, 1, 7, HOUR).code?.expiresAt).toBe(NOW + OTP_MAX_VALIDITY_MS);
    expect(requested(NO_OTP_STATE, NOW, 1, 7, 60_000).code?.expiresAt).toBe(NOW + 60_000);
  });

  test('answers to its own request id only, and another id costs it no check', () => {
    const { verified, state: after } = checkOtp(state, NOW, code(2, 7));
    expect(verified).toBe(false);
    expect(after).toBe(state);
  });

  test('made with another key is wrong', () => {
    expect(checkOtp(state, NOW, { ...code(1, 7), keyId: 2 }).verified).toBe(false);
  });

  test('has five checks: the fifth may still be right, the sixth never is', () => {
    const after = (checks: number): OtpState => {
      let current = state;
      for (let index = 0; index < checks; index++) current = checkOtp(current, NOW, code(1, 8)).state;
      return current;
    };
    expect(checkOtp(after(OTP_MAX_CHECKS - 1), NOW, code(1, 7)).verified).toBe(true);
    expect(checkOtp(after(OTP_MAX_CHECKS), NOW, code(1, 7)).verified).toBe(false);
  });

  test('is replaced by the next one', () => {
    const later = requested(state, NOW + OTP_COOLDOWN_MS, 2, 9);
    expect(checkOtp(later, NOW + OTP_COOLDOWN_MS, code(1, 7)).verified).toBe(false);
    expect(checkOtp(later, NOW + OTP_COOLDOWN_MS, code(2, 9)).verified).toBe(true);
  });

  test('stays within five checks in any run of guesses', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 50, maxLength: 50 }), (guesses) => {
        let current = state;
        let compared = 0;
        for (const guess of guesses) {
          const before = current.code;
          const { verified, state: next } = checkOtp(current, NOW, code(1, guess));
          if (before !== null) compared++;
          if (verified && before === null) return false;
          current = next;
        }
        return compared <= OTP_MAX_CHECKS;
      }),
    );
  });
});

describe('a request', () => {
  test('waits for the cooldown of 60 seconds', () => {
    const state = requested(NO_OTP_STATE, NOW);
    expect(requestOtp(state, NOW + OTP_COOLDOWN_MS - 1, code(2, 8))).toEqual({
      ok: false,
      reason: 'cooldown',
      retryAfterMs: 1,
    });
    expect(requestOtp(state, NOW + OTP_COOLDOWN_MS, code(2, 8)).ok).toBe(true);
  });

  test('need not wait after a verification, but still counts', () => {
    let state: OtpState = NO_OTP_STATE;
    for (let index = 0; index < OTP_REQUESTS_PER_HOUR; index++) {
      state = checkOtp(requested(state, NOW + index, index), NOW + index, code(index, 7)).state;
    }
    expect(requestOtp(state, NOW + 10, code(9, 7))).toEqual({
      ok: false,
      reason: 'hourly_limit',
      retryAfterMs: HOUR - 10,
    });
    expect(requestOtp(state, NOW + HOUR - 1, code(9, 7)).ok).toBe(false);
    expect(requestOtp(state, NOW + HOUR, code(9, 7)).ok).toBe(true);
  });

  test('is granted five times within any hour, and memory stays bounded', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 * 60_000 }), { maxLength: 80 }), (pauses) => {
        let state: OtpState = NO_OTP_STATE;
        let now = NOW;
        const granted: number[] = [];
        for (const pause of pauses) {
          now += pause;
          const decision = requestOtp(state, now, code(1, 7));
          if (!decision.ok) {
            if (requestOtp(state, now + decision.retryAfterMs, code(1, 7)).ok === false) {
              // Two rules can hold a request; the second says when its own wait is over.
              const again = requestOtp(state, now + decision.retryAfterMs, code(1, 7));
              if (!again.ok && again.reason === decision.reason) return false;
            }
            continue;
          }
          granted.push(now);
          state = decision.state;
        }
        const within = granted.every((at) => granted.filter((other) => other > at - HOUR && other <= at).length <= 5);
        return within && state.requests.length <= OTP_REQUESTS_PER_HOUR;
      }),
    );
  });
});

describe('a request whose code was not sent', () => {
  const state = requested(NO_OTP_STATE, NOW);

  test('does not count and ends the cooldown if nothing was sent for certain', () => {
    expect(cancelOtp(state, bytes(1), 'not_sent')).toEqual(NO_OTP_STATE);
  });

  test('counts and ends the cooldown if nobody knows', () => {
    const after = cancelOtp(state, bytes(1), 'unknown');
    expect(after.requests).toEqual([NOW]);
    expect(requestOtp(after, NOW + 1, code(2, 8)).ok).toBe(true);
  });

  test('is not another one that came meanwhile', () => {
    expect(cancelOtp(state, bytes(2), 'not_sent')).toBe(state);
  });
});

test('a state is forgotten when neither its code, its cooldown nor its requests matter any more', () => {
  const state = requested(NO_OTP_STATE, NOW);
  expect(otpForgottenAt(state)).toBe(NOW + HOUR);
  expect(requestOtp(state, otpForgottenAt(state), code(2, 8))).toMatchObject({
    ok: true,
    state: { requests: [NOW + HOUR] },
  });
});

test('codes are six digits, evenly spread', () => {
  const random = seededRandom(7);
  const firstDigits = new Array<number>(10).fill(0);
  for (let index = 0; index < 10_000; index++) {
    const minted = mintOtpCode(random);
    expect(minted).toMatch(/^\d{6}$/);
    const digit = Number(minted.charAt(0));
    firstDigits[digit] = (firstDigits[digit] ?? 0) + 1;
  }
  for (const count of firstDigits) expect(count).toBeGreaterThan(850);
});

test('random bytes beyond the last whole million are drawn again', () => {
  const draws = [
    [0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 42],
  ];
  expect(mintOtpCode({ bytes: () => new Uint8Array(draws.shift() ?? []) })).toBe('000042');
});

test.each(['12345', '1234567', '12345a', ' 123456', '１２３４５６', ''])('%o is no code', (text) => {
  expect(isOtpCode(text)).toBe(false);
});
