import { type SmsGateway, sendSms } from '@hissaback/shared/clients/sms';
import { otpRequest } from '@hissaback/shared/contracts/auth';
import type { OtpCalls, OtpRequested } from '@hissaback/shared/contracts/durable-objects';
import { preferredLanguage } from '@hissaback/shared/domain/accept-language';
import { otpReference } from '@hissaback/shared/domain/delivery-report';
import { OTP_COOLDOWN_MS, OTP_REQUESTS_PER_HOUR } from '@hissaback/shared/domain/otp';
import { encodeOtpRequestId } from '@hissaback/shared/domain/otp-request-id';
import { parseCountries, parsePhone } from '@hissaback/shared/domain/phone';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { rateLimited } from '@hissaback/shared/http/rate-limit';
import { parseBody } from '@hissaback/shared/http/validate';
import type { Context } from 'hono';
import type { IdentityBindings, IdentityEnv } from './env.ts';
import { takeAddressLimit, takeTotalLimit } from './otp-limits.ts';

const PHONE_PROBLEMS = {
  malformed: 'Not a phone number',
  country: 'Phones of this country cannot log in yet',
  not_mobile: 'Not a mobile number',
} as const;

/** `POST /v1/auth/otp/request`: sends a code to a phone. The answer is the same whether or not the phone is known: nobody looks. */
export async function otpRequestHandler(c: Context<IdentityEnv>) {
  const { phone } = await parseBody(otpRequest, c.req.raw);
  const parsed = parsePhone(phone, parseCountries(c.env.OTP_COUNTRIES));
  if (!parsed.ok) throw invalidField('phone', PHONE_PROBLEMS[parsed.reason]);
  const now = c.var.clock.now();
  await takeAddressLimit(c.env, c.req.raw.headers, now);
  const objectId = c.env.OTP.idFromName(parsed.e164);
  const object = c.env.OTP.get(objectId);
  const requested = await object.request(parsed.e164, now);
  if (!requested.ok) throw tooSoon(requested);
  await deliver(c, object, parsed.e164, requested, now);
  return c.json({ request_id: encodeOtpRequestId({ nonce: requested.nonce, objectId: objectId.toString() }) }, 200);
}

// A code that was not sent must not lock its owner out: the request is taken back and the answer is 503.
async function deliver(
  c: Context<IdentityEnv>,
  object: OtpCalls,
  phone: string,
  requested: Extract<OtpRequested, { ok: true }>,
  now: number,
): Promise<void> {
  const total = await takeTotalLimit(c.env, now);
  if (!total.allowed) {
    await object.cancel(requested.nonce, 'not_sent');
    c.var.log.error('otp_total_limit_reached');
    throw notSent(Math.ceil(total.resetMs / 1000));
  }
  const sent = await sendSms(gatewayOf(c.env), {
    to: phone,
    ...messageOf(c, requested),
    kind: 'otp',
    reference: otpReference(mintUuid(c.var.random)),
  });
  if (sent.ok) return;
  await object.cancel(requested.nonce, sent.notSent ? 'not_sent' : 'unknown');
  c.var.log.error('otp_not_sent', { reason: sent.reason });
  throw notSent(30);
}

/** In the language that the request asks for, as far as it has a template of its own: nobody looks whose phone it is. */
function messageOf(c: Context<IdentityEnv>, { code, validityMs }: { code: string; validityMs: number }) {
  const hindi = c.env.DLT_TEMPLATE_OTP_HI ?? '';
  const language = hindi === '' ? 'en' : preferredLanguage(c.req.header('accept-language'), ['en', 'hi']);
  return language === 'hi'
    ? { text: otpInHindi(code, validityMs), templateId: hindi }
    : { text: otpText(code, validityMs), templateId: c.env.DLT_TEMPLATE_OTP };
}

/** The message: one six-digit number, the code. */
export function otpInHindi(code: string, validityMs: number): string {
  const minutes = Math.max(1, Math.floor(validityMs / 60_000));
  return `${code} आपका Hissaback कोड है, ${minutes} मिनट तक मान्य। इसे किसी को न बताएँ: हम इसे कभी नहीं माँगते।`;
}

/** The message: one six-digit number, the code. */
export function otpText(code: string, validityMs: number): string {
  const minutes = Math.max(1, Math.floor(validityMs / 60_000));
  const validity = minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return `${code} is your Hissaback code, valid for ${validity}. Share it with nobody: we never ask for it.`;
}

function gatewayOf(env: IdentityBindings): SmsGateway {
  return {
    endpoint: env.SMS_ENDPOINT,
    authKey: env.SMS_AUTH_KEY,
    fetch: (input, init) => fetch(input, init),
    sender: env.SMS_SENDER,
    entityId: env.DLT_ENTITY_ID,
  };
}

function tooSoon({ reason, retryAfterMs }: Extract<OtpRequested, { ok: false }>): ProblemError {
  const reset = retryAfterMs / 1000;
  return reason === 'cooldown'
    ? rateLimited(
        { policy: 'otp-cooldown', limit: 1, window: OTP_COOLDOWN_MS / 1000, remaining: 0, reset },
        'A code was just sent to this phone. Wait a moment before asking for another.',
      )
    : rateLimited(
        { policy: 'otp-phone', limit: OTP_REQUESTS_PER_HOUR, window: 3_600, remaining: 0, reset },
        'Too many codes were sent to this phone within the hour.',
      );
}

function notSent(retryAfterSeconds: number): ProblemError {
  return new ProblemError('unavailable', {
    detail: 'The code could not be sent. Try again shortly.',
    headers: { 'retry-after': String(retryAfterSeconds) },
  });
}
