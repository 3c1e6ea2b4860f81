import type { Context, MiddlewareHandler } from 'hono';
import { isMember } from '../db/queries/tenants.ts';
import { withTenant } from '../db/tenancy.ts';
import { API_KEY_PREFIX, type Scope, scopeOf } from '../domain/api-key.ts';
import { isPerson, type Principal, verifyAccessToken } from './access-token.ts';
import { principalOfApiKey } from './api-key-auth.ts';
import type { AuthContext } from './auth-context.ts';
import { ProblemError } from './problem.ts';
import { isSessionGood, isWidgetTokenGood } from './revocation.ts';
import { withFacts } from './route-facts.ts';
import type { Role } from './token-claims.ts';
import { tokenKeysFrom } from './token-keys.ts';

export type { Principal } from './access-token.ts';

export type AuthOptions = {
  /**
   * The scope that an API key needs for this route, or null: no API key may do it. Unless told, `scopeOf` says it by the route's path and method.
   */
  scope?: Scope | null;
};

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+|hbk_[\w-]+)$/i;
const INVALID = 'Bearer realm="hissaback", error="invalid_token"';

/**
 * Lets pass whoever shows a valid Bearer token of one of the roles that was not revoked, or an API key with the route's scope where creators may pass, and puts
 * `principal` on the context. No role listed: nobody passes. It comes first on a route, before ownership and validation.
 *
 * Besides the signature it costs one question: of a person's token to the session's Durable Object, of a widget's token or an API key to the database, of a
 * cron's token none. Where a tenant's things are (creators pass and shoppers do not), the table is asked at the same time whether a creator still belongs to the
 * tenant: who was removed reads no more either, whatever the day-old token says. A token of a role that may not do this is refused unasked.
 *
 * @throws ProblemError `unauthenticated` (401) without a valid token, `forbidden` (403) for another role or scope, `unavailable` (503) if nobody answers
 */
export function authenticate(roles: readonly Role[], options: AuthOptions = {}): MiddlewareHandler<AuthContext> {
  const check: MiddlewareHandler<AuthContext> = async (c, next) => {
    const token = bearerToken(c);
    const principal = token.startsWith(API_KEY_PREFIX)
      ? await keyHolder(c, token, roles, options)
      : await tokenHolder(c, token, roles);
    c.set('principal', principal);
    await next();
  };
  return withFacts(check, { roles, ...options });
}

/**
 * Who the access token of an `Authorization` header speaks for by its signature alone, revoked or not; null without a valid one. For logging out, which needs no
 * more. `now` in milliseconds since the Unix epoch.
 */
export async function bearerOf(header: string | undefined, jwtKeys: string, now: number): Promise<Principal | null> {
  const token = BEARER.exec(header ?? '')?.[1];
  if (token === undefined || token.startsWith(API_KEY_PREFIX)) return null;
  return verifyAccessToken(await tokenKeysFrom(jwtKeys), token, now);
}

async function tokenHolder(c: Context<AuthContext>, token: string, roles: readonly Role[]): Promise<Principal> {
  const keys = await tokenKeysFrom(c.env.JWT_KEYS);
  const principal = await verifyAccessToken(keys, token, c.var.clock.now());
  if (principal === null) throw unauthenticated('The access token is not valid.', INVALID);
  if (!roles.includes(principal.role)) throw wrongRole(principal.role);
  const [good, belongs] = await Promise.all([isGood(c, principal), isStillMember(c, principal, roles)]);
  if (!good) throw unauthenticated('The access token was revoked.', INVALID);
  if (!belongs) throw new ProblemError('forbidden', { detail: 'You are not a member of this tenant.' });
  return principal;
}

/** False for a creator who left the tenant of the token. Personal routes stay open: their tenant is nobody's concern there. */
async function isStillMember(c: Context<AuthContext>, principal: Principal, roles: readonly Role[]): Promise<boolean> {
  const { role, tenantId, sub } = principal;
  if (role !== 'creator' || tenantId === null || roles.includes('shopper')) return true;
  return withTenant(c.var.db, tenantId, (tx) => isMember(tx, { tenant_id: tenantId, user_id: sub }));
}

async function keyHolder(
  c: Context<AuthContext>,
  token: string,
  roles: readonly Role[],
  options: AuthOptions,
): Promise<Principal> {
  const principal = await principalOfApiKey(c, token);
  if (principal === null) throw unauthenticated('The API key is not valid.', INVALID);
  const scope = options.scope === undefined ? scopeOf(c.req.method, c.req.path) : options.scope;
  if (scope === null || !roles.includes('creator')) {
    throw new ProblemError('forbidden', { detail: 'An API key may not do this.' });
  }
  if (!principal.scopes?.includes(scope)) {
    throw new ProblemError('forbidden', { detail: `The API key lacks the scope ${scope}.` });
  }
  return principal;
}

function isGood(c: Context<AuthContext>, principal: Principal): Promise<boolean> {
  if (isPerson(principal.role)) return isSessionGood(c, principal.sessionId ?? '');
  if (principal.role === 'widget') return isWidgetTokenGood(c, principal);
  return Promise.resolve(true);
}

function bearerToken(c: Context<AuthContext>): string {
  const header = c.req.header('authorization');
  if (header === undefined)
    throw unauthenticated('Send an access token as a Bearer token.', 'Bearer realm="hissaback"');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw unauthenticated('The access token is not valid.', INVALID);
  return token;
}

function wrongRole(role: Role): ProblemError {
  return new ProblemError('forbidden', { detail: `A token of the role ${role} may not do this.` });
}

function unauthenticated(detail: string, challenge: string): ProblemError {
  return new ProblemError('unauthenticated', { detail, headers: { 'www-authenticate': challenge } });
}
