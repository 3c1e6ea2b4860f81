import { DurableObject } from 'cloudflare:workers';
import type { OtpCalls, OtpRequested } from '@hissaback/shared/contracts/durable-objects';
import { type Random, systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { type Keyring, type KeyringKey, keyringFrom } from '@hissaback/shared/domain/keyring';
import { truncatedMac } from '@hissaback/shared/domain/mac';
import {
  cancelOtp,
  checkOtp,
  mintOtpCode,
  NO_OTP_STATE,
  OTP_MAX_VALIDITY_MS,
  type OtpState,
  otpForgottenAt,
  requestOtp,
} from '@hissaback/shared/domain/otp';
import { OTP_NONCE_BYTES } from '@hissaback/shared/domain/otp-request-id';

export type OtpEnv = {
  OTP_KEYS: string;
  /** Minutes a code is valid: at most, and unless told, 10. */
  OTP_VALID_MINUTES?: string;
};

type Stored = OtpState & { phone: string };

/** One phone's codes, addressed by the phone in E.164. All rules are in domain/otp; this keeps their state. Times are milliseconds since the epoch. */
export class OtpObject extends DurableObject<OtpEnv> implements OtpCalls {
  readonly #random: Random = systemRandom;

  /** A new code for the phone, or when the next one is welcome. */
  async request(phone: string, now: number): Promise<OtpRequested> {
    const key = this.#ring().current();
    const nonce = this.#random.bytes(OTP_NONCE_BYTES);
    const code = mintOtpCode(this.#random);
    const hash = await this.#hash(key, nonce, code);
    const validityMs = this.#validityMs();
    const decision = requestOtp(this.#load(), now, { nonce, keyId: key.id, hash }, validityMs);
    if (!decision.ok) return decision;
    await this.#save({ ...decision.state, phone });
    return { ok: true, nonce, code, validityMs };
  }

  /** The phone, if the code is right, fresh, unused and this request's; else null, whatever was wrong. */
  async verify(nonce: Uint8Array<ArrayBuffer>, code: string, now: number): Promise<{ phone: string } | null> {
    const pending = this.#load().code;
    if (pending === null) return null;
    const key = this.#ring().byId(pending.keyId);
    const hash = key === undefined ? new Uint8Array(0) : await this.#hash(key, nonce, code);
    // Nothing is awaited from here to the write, so of guesses made at once each one is counted.
    const stored = this.#load();
    const { verified, state } = checkOtp(stored, now, { nonce, keyId: pending.keyId, hash });
    if (state !== stored) await this.#save({ ...state, phone: stored.phone });
    return verified ? { phone: stored.phone } : null;
  }

  /** Takes back a request whose code was not sent. */
  async cancel(nonce: Uint8Array<ArrayBuffer>, outcome: 'not_sent' | 'unknown'): Promise<void> {
    const stored = this.#load();
    const state = cancelOtp(stored, nonce, outcome);
    if (state !== stored) await this.#save({ ...state, phone: stored.phone });
  }

  override async alarm(): Promise<void> {
    const forgottenAt = otpForgottenAt(this.#load());
    if (forgottenAt <= systemClock.now()) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(forgottenAt);
  }

  #load(): Stored {
    return this.ctx.storage.kv.get<Stored>('state') ?? { ...NO_OTP_STATE, phone: '' };
  }

  #save(state: Stored): Promise<void> {
    this.ctx.storage.kv.put('state', state);
    return this.ctx.storage.setAlarm(otpForgottenAt(state));
  }

  #ring(): Keyring {
    return keyringFrom(this.env.OTP_KEYS, 'OTP_KEYS');
  }

  /** Bound to the phone's object, to the request and to this one use of the key. */
  #hash(key: KeyringKey, nonce: Uint8Array, code: string): Promise<Uint8Array> {
    const parts = ['otp-code', this.ctx.id.toString(), [...nonce].join(','), code];
    return truncatedMac(this.#ring(), key, Uint8Array.from(new TextEncoder().encode(parts.join('|'))));
  }

  #validityMs(): number {
    const minutes = Number(this.env.OTP_VALID_MINUTES ?? '');
    return minutes > 0 ? Math.min(minutes * 60_000, OTP_MAX_VALIDITY_MS) : OTP_MAX_VALIDITY_MS;
  }
}
