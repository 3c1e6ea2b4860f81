import type { LimitAnswer } from '@hissaback/shared/contracts/durable-objects';
import { clientAddress, isLoopback, limitKey } from '@hissaback/shared/http/client-address';
import { rateLimited } from '@hissaback/shared/http/rate-limit';
import type { IdentityBindings } from './env.ts';

const HOUR_MS = 3_600_000;
const PER_ADDRESS = 60;
const TOTAL = 1_000;

/**
 * Counts a request for a code against its address, unless that is the machine itself.
 *
 * @throws ProblemError `rate_limited` (429)
 */
export async function takeAddressLimit(env: IdentityBindings, headers: Headers, now: number): Promise<void> {
  const address = clientAddress(headers);
  if (isLoopback(address)) return;
  const limit = setting(env.OTP_PER_ADDRESS_PER_HOUR, PER_ADDRESS);
  const key = limitKey(address);
  refuse('otp-address', limit, await limitObject(env, `otp-address:${key}`).take({ limit, windowMs: HOUR_MS }, now));
}

/** Counts a message that is about to be sent against the total of all phones; not allowed means: send none. */
export async function takeTotalLimit(env: IdentityBindings, now: number): Promise<LimitAnswer> {
  return limitObject(env, 'otp-total').take({ limit: setting(env.OTP_TOTAL_PER_HOUR, TOTAL), windowMs: HOUR_MS }, now);
}

function limitObject(env: IdentityBindings, name: string) {
  return env.LIMIT.get(env.LIMIT.idFromName(name));
}

function refuse(policy: string, limit: number, answer: LimitAnswer): void {
  if (answer.allowed) return;
  const state = { policy, limit, window: HOUR_MS / 1000, remaining: answer.remaining, reset: answer.resetMs / 1000 };
  throw rateLimited(state, 'Too many codes were asked for from here.');
}

function setting(text: string | undefined, fallback: number): number {
  const value = Number(text ?? '');
  return Number.isSafeInteger(value) && value > 0 ? value : fallback;
}
