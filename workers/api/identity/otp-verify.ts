import { otpCheck } from '@hissaback/shared/contracts/auth';
import { isOtpCode } from '@hissaback/shared/domain/otp';
import { decodeOtpRequestId } from '@hissaback/shared/domain/otp-request-id';
import { ProblemError } from '@hissaback/shared/http/problem';
import { PROOF_TOKEN_SECONDS, signProofToken } from '@hissaback/shared/http/proof-token';
import { tokenKeysFrom } from '@hissaback/shared/http/token-keys';
import { parseBody } from '@hissaback/shared/http/validate';
import type { Context } from 'hono';
import type { IdentityBindings, IdentityEnv } from './env.ts';
import { dormantHolder, logIn } from './login.ts';
import { openSession } from './open-session.ts';

/**
 * `POST /v1/auth/otp/verify`: a right code logs its phone in. Whatever is wrong (no such request, a forged or malformed id, a wrong, used, expired or too
 * often checked code), the answer is one and the same. A phone that was not seen for long opens no account that holds anything without a second proof.
 */
export async function otpVerifyHandler(c: Context<IdentityEnv>) {
  const { request_id, code } = await parseBody(otpCheck, c.req.raw);
  const { clock, random } = c.var;
  const phone = await verifiedPhone(c.env, request_id, code, clock.now());
  if (phone === null) {
    throw new ProblemError('otp_invalid', { detail: 'The code is wrong, used or too old. Ask for a new one.' });
  }
  const dormant = await dormantHolder(c.var.db, phone, c.env, clock.now());
  if (dormant !== null) {
    const keys = await tokenKeysFrom(c.env.JWT_KEYS);
    throw new ProblemError('second_proof_required', {
      detail: 'This number was not used for long. Prove that the account is yours, or start clean.',
      members: {
        proof_token: await signProofToken(keys, dormant.userId, clock, random),
        proofs: dormant.proofs,
        expires_in: PROOF_TOKEN_SECONDS,
      },
    });
  }
  return c.json({ jwt: await openSession(c, await logIn(c.var.db, phone, clock, random)) }, 200);
}

async function verifiedPhone(
  env: IdentityBindings,
  requestId: string,
  code: string,
  now: number,
): Promise<string | null> {
  const request = decodeOtpRequestId(requestId);
  if (request === null || !isOtpCode(code)) return null;
  const objectId = objectIdOf(env, request.objectId);
  if (objectId === null) return null;
  const verified = await env.OTP.get(objectId).verify(request.nonce, code, now);
  return verified?.phone ?? null;
}

// The platform authenticates object ids: one that is not of this namespace is refused here.
function objectIdOf(env: IdentityBindings, text: string): DurableObjectId | null {
  try {
    return env.OTP.idFromString(text);
  } catch {
    return null;
  }
}
