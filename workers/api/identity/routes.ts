import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { IdentityEnv } from './env.ts';
import { jwks } from './jwks.ts';
import { otpRequestHandler } from './otp-request.ts';
import { otpVerifyHandler } from './otp-verify.ts';
import { switchTenant } from './switch-tenant.ts';

/** Logging in, choosing a tenant, and the keys that tokens are checked with. */
export const identityRoutes = new Hono<IdentityEnv>()
  .post('/v1/auth/otp/request', otpRequestHandler)
  .post('/v1/auth/otp/verify', otpVerifyHandler)
  .post('/v1/auth/switch', authenticate(['shopper', 'creator', 'operator']), switchTenant)
  .get('/.well-known/jwks.json', jwks);
