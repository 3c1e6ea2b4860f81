import type { Context, MiddlewareHandler } from 'hono';
import { type Principal, verifyAccessToken } from './access-token.ts';
import type { HttpVariables } from './context.ts';
import { ProblemError } from './problem.ts';
import type { Role } from './token-claims.ts';
import { tokenKeysFrom } from './token-keys.ts';

export type { Principal } from './access-token.ts';

type AuthEnv = { Bindings: { JWT_KEYS: string }; Variables: HttpVariables };

/**
 * Lets pass whoever shows a valid Bearer token of one of the roles, and puts `principal` on the context. No role listed: nobody passes.
 * It comes first on a route, before ownership and validation.
 *
 * @throws ProblemError `unauthenticated` (401) without a valid token, `forbidden` (403) for another role
 */
export function authenticate(roles: readonly Role[]): MiddlewareHandler<AuthEnv> {
  return async (c, next) => {
    const principal = await authenticated(c);
    if (!roles.includes(principal.role)) {
      throw new ProblemError('forbidden', { detail: `A token of the role ${principal.role} may not do this.` });
    }
    c.set('principal', principal);
    await next();
  };
}

async function authenticated(c: Context<AuthEnv>): Promise<Principal> {
  const header = c.req.header('authorization');
  if (header === undefined)
    throw unauthenticated('Send an access token as a Bearer token.', 'Bearer realm="hissaback"');
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
  const keys = await tokenKeysFrom(c.env.JWT_KEYS);
  const principal = token === undefined ? null : await verifyAccessToken(keys, token, c.var.clock.now());
  if (principal !== null) return principal;
  throw unauthenticated('The access token is not valid.', 'Bearer realm="hissaback", error="invalid_token"');
}

function unauthenticated(detail: string, challenge: string): ProblemError {
  return new ProblemError('unauthenticated', { detail, headers: { 'www-authenticate': challenge } });
}
