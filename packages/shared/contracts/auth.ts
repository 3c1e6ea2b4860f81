import { z } from 'zod';
import { uuid } from './fields.ts';

/** `POST /v1/auth/otp/request`. */
export const otpRequest = z.object({ phone: z.string().min(1).max(32) });
export const otpRequested = z.object({ request_id: z.string() });

/** `POST /v1/auth/otp/verify`. What is no request id or no code answers as a wrong code does, so only the length is bounded here. */
export const otpCheck = z.object({ request_id: z.string().max(256), code: z.string().max(64) });

/** `POST /v1/auth/switch`: the tenant to work for, or null for none: a shopper's or operator's own token. */
export const tenantSwitch = z.object({ tenant_id: uuid.nullable() });

/** An access token: valid for a day after the login. */
export const issuedToken = z.object({ jwt: z.string() });

/** `GET /.well-known/jwks.json`. */
export const keySet = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: z.string(),
      y: z.string(),
      kid: z.string(),
      alg: z.literal('ES256'),
      use: z.literal('sig'),
    }),
  ),
});
