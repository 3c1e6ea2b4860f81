import { SignJWT } from 'jose';
import type { Scope } from '../domain/api-key.ts';
import type { Clock, Random } from '../domain/chance.ts';
import { isUuid, mintUuid } from '../domain/uuid.ts';
import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER, ROLES, type Role } from './token-claims.ts';
import { TOKEN_ALGORITHM, type TokenKeys } from './token-keys.ts';
import { verifiedClaims } from './verify-token.ts';

/** How long an access token lives, in seconds (the spec's section 4). */
export const ACCESS_TOKEN_SECONDS = 86_400;

/** Who a verified token speaks for. */
export type Principal = {
  /** The user's id, the widget's id, or `cron`. */
  sub: string;
  role: Role;
  /** The one tenant a creator's or widget's token is scoped to; null for everyone else. */
  tenantId: string | null;
  /** The session of a person's token; null for a widget, a cron and an API key. */
  sessionId: string | null;
  /** What an API key may do; null for a token, which may do whatever its role may. */
  scopes: readonly Scope[] | null;
  jti: string;
  /** Seconds since the Unix epoch. */
  expiresAt: number;
};

export type Grant = {
  sub: string;
  role: Role;
  /** Needed for the roles creator and widget, refused for the others. */
  tenantId?: string;
  /** Needed for people (shopper, creator, operator), refused for the others. */
  sessionId?: string;
  /** Random unless told. */
  jti?: string;
  /** Seconds; a day unless told. */
  lifetime?: number;
};

/** Signs an access token with the first key. Throws a RangeError for a grant whose tenant or session does not go with its role. */
export async function signAccessToken(keys: TokenKeys, grant: Grant, clock: Clock, random: Random): Promise<string> {
  if (isScoped(grant.role) !== (grant.tenantId !== undefined))
    throw new RangeError('tenant and role do not go together');
  if (isPerson(grant.role) !== (grant.sessionId !== undefined))
    throw new RangeError('session and role do not go together');
  const issuedAt = Math.floor(clock.now() / 1000);
  const claims = {
    role: grant.role,
    ...(grant.tenantId !== undefined && { tenant_id: grant.tenantId }),
    ...(grant.sessionId !== undefined && { sid: grant.sessionId }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: ACCESS_TOKEN_TYPE, kid: keys.signing.kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(grant.sub)
    .setJti(grant.jti ?? mintUuid(random))
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (grant.lifetime ?? ACCESS_TOKEN_SECONDS))
    .sign(keys.signing.key);
}

/**
 * Who a token speaks for, or null if it is not a valid access token of ours (see `verifiedClaims`). Whether it was revoked since is another question:
 * `authenticate` asks it.
 *
 * @param now milliseconds since the Unix epoch
 */
export async function verifyAccessToken(keys: TokenKeys, token: string, now: number): Promise<Principal | null> {
  const kind = { audience: AUDIENCE, type: ACCESS_TOKEN_TYPE, required: ['sub', 'role', 'jti', 'iat', 'exp'] };
  const claims = await verifiedClaims(keys, token, kind, now);
  return claims === null ? null : principalOfClaims(claims);
}

/** True for the roles of people, whose tokens belong to a session. */
export function isPerson(role: Role): boolean {
  return role === 'shopper' || role === 'creator' || role === 'operator';
}

function principalOfClaims(claims: Readonly<Record<string, unknown>>): Principal | null {
  const { sub, jti, exp, tenant_id: tenantId = null, sid = null } = claims;
  const role = ROLES.find((known) => known === claims.role);
  if (typeof sub !== 'string' || sub === '' || typeof jti !== 'string' || typeof exp !== 'number') return null;
  if (role === undefined) return null;
  if (role !== 'cron' && !isUuid(sub)) return null;
  if (isScoped(role) ? !isUuid(tenantId) : tenantId !== null) return null;
  if (isPerson(role) ? !isUuid(sid) : sid !== null) return null;
  if (role === 'widget' && !isUuid(jti)) return null;
  return {
    sub,
    role,
    tenantId: typeof tenantId === 'string' ? tenantId : null,
    sessionId: typeof sid === 'string' ? sid : null,
    scopes: null,
    jti,
    expiresAt: exp,
  };
}

function isScoped(role: Role): boolean {
  return role === 'creator' || role === 'widget';
}
