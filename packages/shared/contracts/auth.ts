import { z } from 'zod';
import { PROOFS } from '../domain/recycled-phone.ts';
import { instant, uuid } from './fields.ts';

/** `POST /v1/auth/otp/request`. */
export const otpRequest = z.object({ phone: z.string().min(1).max(32) });
export const otpRequested = z.object({ request_id: z.string() });

/** `POST /v1/auth/otp/verify`. What is no request id or no code answers as a wrong code does, so only the length is bounded here. */
export const otpCheck = z.object({ request_id: z.string().max(256), code: z.string().max(64) });

/** `POST /v1/auth/proof`: one of `email`, `pan` and `start_clean` beside the token of `second_proof_required`. */
export const secondProof = z
  .strictObject({
    proof_token: z.string().min(1).max(4_096),
    email: z.string().trim().toLowerCase().min(1).max(254).optional(),
    pan: z.string().min(1).max(32).optional(),
    start_clean: z.literal(true).optional(),
  })
  .refine(
    ({ email, pan, start_clean }) => [email, pan, start_clean].filter((given) => given !== undefined).length === 1,
    { message: 'Give exactly one of email, pan and start_clean' },
  );

/** What `POST /v1/auth/otp/verify` adds to the problem `second_proof_required`. */
export const secondProofRequired = z.object({
  proof_token: z.string(),
  /** The proofs that this account knows; `start_clean` is always open. */
  proofs: z.array(z.enum(PROOFS)),
  /** Seconds until the token expires. */
  expires_in: z.int(),
});

/** `GET /v1/auth/sessions`: where one is logged in. */
export const session = z.object({
  session_id: uuid,
  device: z.string(),
  created_at: instant,
  /** The last login or refresh. */
  last_used_at: instant,
  /** True for the session that asks. */
  is_current: z.boolean(),
});
export const sessions = z.array(session);

export type Session = z.output<typeof session>;

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
