import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock, Random } from '../domain/chance.ts';
import { isUuid, mintUuid } from '../domain/uuid.ts';
import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER, ROLES, type Role } from './token-claims.ts';
import { TOKEN_ALGORITHM, type TokenKeys } from './token-keys.ts';

/** How long an access token lives, in seconds (the spec's section 4). */
export const ACCESS_TOKEN_SECONDS = 86_400;

const MAX_TOKEN_LENGTH = 4_096;

/** Who a verified token speaks for. */
export type Principal = {
  /** The user's id, the widget's id, or `cron`. */
  sub: string;
  role: Role;
  /** The one tenant a creator's or widget's token is scoped to; null for everyone else. */
  tenantId: string | null;
  jti: string;
  /** Seconds since the Unix epoch. */
  expiresAt: number;
};

export type Grant = {
  sub: string;
  role: Role;
  /** Needed for the roles creator and widget, refused for the others. */
  tenantId?: string;
  /** Seconds; a day unless told. */
  lifetime?: number;
};

/** Signs an access token with the first key. Throws a RangeError for a grant whose tenant does not go with its role. */
export async function signAccessToken(keys: TokenKeys, grant: Grant, clock: Clock, random: Random): Promise<string> {
  if (isScoped(grant.role) !== (grant.tenantId !== undefined))
    throw new RangeError('tenant and role do not go together');
  const issuedAt = Math.floor(clock.now() / 1000);
  return new SignJWT({ role: grant.role, ...(grant.tenantId !== undefined && { tenant_id: grant.tenantId }) })
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: ACCESS_TOKEN_TYPE, kid: keys.signing.kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(grant.sub)
    .setJti(mintUuid(random))
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (grant.lifetime ?? ACCESS_TOKEN_SECONDS))
    .sign(keys.signing.key);
}

/**
 * Who a token speaks for, or null if it is not a valid access token of ours: ES256 only, by a key we know by its `kid`, with our issuer, audience and type, within
 * its time. What a header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never used; a token that carries any of them is refused.
 *
 * @param now milliseconds since the Unix epoch
 */
export async function verifyAccessToken(keys: TokenKeys, token: string, now: number): Promise<Principal | null> {
  if (token.length > MAX_TOKEN_LENGTH) return null;
  try {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        if (
          header.jwk !== undefined ||
          header.jku !== undefined ||
          header.x5u !== undefined ||
          header.x5c !== undefined
        )
          throw new errors.JWSInvalid();
        const key = header.kid === undefined ? undefined : keys.verifying(header.kid);
        if (key === undefined) throw new errors.JWKSNoMatchingKey();
        return key;
      },
      {
        algorithms: [TOKEN_ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: ACCESS_TOKEN_TYPE,
        currentDate: new Date(now),
        requiredClaims: ['sub', 'role', 'jti', 'iat', 'exp'],
      },
    );
    return principalOfClaims(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}

function principalOfClaims(claims: Readonly<Record<string, unknown>>): Principal | null {
  const { sub, jti, exp, tenant_id: tenantId = null } = claims;
  const role = ROLES.find((known) => known === claims.role);
  if (typeof sub !== 'string' || sub === '' || typeof jti !== 'string' || typeof exp !== 'number') return null;
  if (role === undefined) return null;
  if (role !== 'cron' && !isUuid(sub)) return null;
  if (isScoped(role) ? !isUuid(tenantId) : tenantId !== null) return null;
  return { sub, role, tenantId: typeof tenantId === 'string' ? tenantId : null, jti, expiresAt: exp };
}

function isScoped(role: Role): boolean {
  return role === 'creator' || role === 'widget';
}
