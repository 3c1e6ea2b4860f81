import { SignJWT } from 'jose';
import type { Clock, Random } from '../domain/chance.ts';
import { isUuid, mintUuid } from '../domain/uuid.ts';
import { ISSUER, PROOF_AUDIENCE, PROOF_TOKEN_TYPE } from './token-claims.ts';
import { TOKEN_ALGORITHM, type TokenKeys } from './token-keys.ts';
import { verifiedClaims } from './verify-token.ts';

/** How long a second proof may take, in seconds. */
export const PROOF_TOKEN_SECONDS = 600;

/** Says that its holder verified the phone of this user just now. It names no phone and opens nothing by itself. */
export async function signProofToken(keys: TokenKeys, userId: string, clock: Clock, random: Random): Promise<string> {
  const issuedAt = Math.floor(clock.now() / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: PROOF_TOKEN_TYPE, kid: keys.signing.kid })
    .setIssuer(ISSUER)
    .setAudience(PROOF_AUDIENCE)
    .setSubject(userId)
    .setJti(mintUuid(random))
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + PROOF_TOKEN_SECONDS)
    .sign(keys.signing.key);
}

/** The user of a proof token, or null if it is not a valid one of ours. @param now milliseconds since the Unix epoch */
export async function verifyProofToken(keys: TokenKeys, token: string, now: number): Promise<string | null> {
  const kind = { audience: PROOF_AUDIENCE, type: PROOF_TOKEN_TYPE, required: ['sub', 'iat', 'exp'] };
  const claims = await verifiedClaims(keys, token, kind, now);
  return isUuid(claims?.sub) ? claims.sub : null;
}
