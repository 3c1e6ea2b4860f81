import { tokenKeysFrom } from '@hissaback/shared/http/token-keys';
import type { Context } from 'hono';
import type { IdentityEnv } from './env.ts';

/** `GET /.well-known/jwks.json`: the public keys, the signing one first. */
export async function jwks(c: Context<IdentityEnv>) {
  const keys = await tokenKeysFrom(c.env.JWT_KEYS);
  return c.json(keys.jwks, 200, { 'cache-control': 'public, max-age=300' });
}
