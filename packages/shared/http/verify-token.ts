import { errors, type JWTPayload, jwtVerify } from 'jose';
import { ISSUER } from './token-claims.ts';
import { TOKEN_ALGORITHM, type TokenKeys } from './token-keys.ts';

const MAX_TOKEN_LENGTH = 4_096;

/** What a kind of token must say of itself. */
export type TokenKind = { audience: string; type: string; required: string[] };

/**
 * The claims of a token of ours, or null: ES256 only, by a key we know by its `kid`, with our issuer and the kind's audience and type, within its time. What a
 * header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never used; a token that carries any of them is refused.
 *
 * @param now milliseconds since the Unix epoch
 */
export async function verifiedClaims(
  keys: TokenKeys,
  token: string,
  kind: TokenKind,
  now: number,
): Promise<JWTPayload | null> {
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
        audience: kind.audience,
        typ: kind.type,
        currentDate: new Date(now),
        requiredClaims: kind.required,
      },
    );
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
