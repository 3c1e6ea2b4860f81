import {
  issuedToken,
  keySet,
  otpCheck,
  otpRequest,
  otpRequested,
  secondProof,
  tenantSwitch,
} from '@hissaback/shared/contracts/auth';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import { operation } from '../openapi/operation.ts';
import type { IdentityEnv } from './env.ts';
import { jwks } from './jwks.ts';
import { logout } from './logout.ts';
import { otpRequestHandler } from './otp-request.ts';
import { otpVerifyHandler } from './otp-verify.ts';
import { proof } from './proof.ts';
import { refresh } from './refresh.ts';
import { switchTenant } from './switch-tenant.ts';

/** Logging in and out, keeping the session going, choosing a tenant, and the keys that tokens are checked with. */
export const identityRoutes = new Hono<IdentityEnv>()
  .post(
    '/v1/auth/otp/request',
    operation({
      id: 'requestCode',
      summary: 'Send a code to a phone',
      answer: otpRequested,
      body: otpRequest,
      errors: ['unavailable'],
      limit: '5 requests an hour and one a minute per phone; 60 an hour per address',
    }),
    otpRequestHandler,
  )
  .post(
    '/v1/auth/otp/verify',
    operation({
      id: 'verifyCode',
      summary: 'Log in with a code',
      description: 'Sets the refresh cookie.',
      answer: issuedToken,
      body: otpCheck,
      errors: ['otp_invalid', 'second_proof_required', 'unavailable'],
      limit: '5 checks per code',
    }),
    otpVerifyHandler,
  )
  .post(
    '/v1/auth/proof',
    operation({
      id: 'proveIdentity',
      summary: 'Give the second proof that an old account asks for',
      description: 'Sets the refresh cookie.',
      answer: issuedToken,
      body: secondProof,
      errors: ['proof_invalid', 'unavailable'],
    }),
    proof,
  )
  .post(
    '/v1/auth/refresh',
    operation({
      id: 'refreshToken',
      summary: 'Get a new access token',
      description:
        'Rotates the refresh cookie. A cookie that was used before ends its session. From a page of another origin it is refused; without an Origin it needs X-Requested-With.',
      answer: issuedToken,
      errors: ['unauthenticated', 'forbidden', 'unavailable'],
      cookie: true,
    }),
    refresh,
  )
  .post(
    '/v1/auth/logout',
    operation({
      id: 'logOut',
      summary: 'Log out',
      answer: { 204: { description: 'Done' } },
      errors: ['forbidden', 'unauthenticated', 'unavailable'],
      cookie: true,
    }),
    logout,
  )
  .post(
    '/v1/auth/switch',
    operation({
      id: 'switchTenant',
      summary: 'Get a token for another tenant, or for none',
      answer: issuedToken,
      body: tenantSwitch,
    }),
    authenticate(['shopper', 'creator', 'operator']),
    switchTenant,
  )
  .get(
    '/.well-known/jwks.json',
    operation({ id: 'getKeys', summary: 'Get the public keys that tokens are checked with', answer: keySet }),
    jwks,
  );
