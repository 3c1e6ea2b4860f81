import { importJWK, type JWK } from 'jose';

/** The one algorithm tokens are signed with. */
export const TOKEN_ALGORITHM = 'ES256';

export type PublicJwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string; kid: string; alg: 'ES256'; use: 'sig' };

export type TokenKeys = {
  /** The first key: signs. */
  readonly signing: { readonly kid: string; readonly key: CryptoKey };
  /** The public key of a known `kid`, else undefined. */
  verifying(kid: string): CryptoKey | undefined;
  /** The public keys, as served at `/.well-known/jwks.json`. */
  readonly jwks: { readonly keys: readonly PublicJwk[] };
};

/** Keys that cannot be used. The message names the entry, never key material. */
export class TokenKeysError extends Error {
  override readonly name = 'TokenKeysError';
}

/**
 * Parses `JWT_KEYS`: a JSON array of private ES256 JWKs, each with a `kid` of its own. The first signs, all verify; a key is rotated by putting a new one
 * in front, and dropped when the last token it signed has expired.
 *
 * @throws TokenKeysError
 */
export async function parseTokenKeys(text: string | undefined): Promise<TokenKeys> {
  const jwks = parseArray(text).map(parsePrivateJwk);
  const verifying = new Map<string, CryptoKey>();
  for (const [index, jwk] of jwks.entries()) {
    if (verifying.has(jwk.kid)) throw new TokenKeysError(`JWT_KEYS entry ${index + 1}: its kid is used twice`);
    verifying.set(jwk.kid, await importKey(publicOf(jwk), index));
  }
  const [first] = jwks;
  if (first === undefined) throw new TokenKeysError('JWT_KEYS is empty');
  return {
    signing: { kid: first.kid, key: await importKey({ ...publicOf(first), d: first.d }, 0) },
    verifying: (kid) => verifying.get(kid),
    jwks: { keys: jwks.map(publicOf) },
  };
}

let remembered: { text: string; keys: TokenKeys } | undefined;

/** As `parseTokenKeys`, remembering the last keys, so that a request imports none. */
export async function tokenKeysFrom(text: string | undefined): Promise<TokenKeys> {
  if (remembered !== undefined && remembered.text === text) return remembered.keys;
  const keys = await parseTokenKeys(text);
  remembered = { text: text ?? '', keys };
  return keys;
}

type PrivateJwk = { kid: string; x: string; y: string; d: string };

function parseArray(text: string | undefined): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    throw new TokenKeysError('JWT_KEYS is not JSON');
  }
  if (!Array.isArray(value)) throw new TokenKeysError('JWT_KEYS is not a JSON array');
  return value;
}

function parsePrivateJwk(value: unknown, index: number): PrivateJwk {
  const where = `JWT_KEYS entry ${index + 1}`;
  if (typeof value !== 'object' || value === null) throw new TokenKeysError(`${where}: not a JWK`);
  const { kty, crv, alg, kid, x, y, d } = value as Readonly<Record<string, unknown>>;
  if (kty !== 'EC' || crv !== 'P-256' || (alg !== undefined && alg !== TOKEN_ALGORITHM))
    throw new TokenKeysError(`${where}: not an ES256 key`);
  if (typeof kid !== 'string' || !/^[\w.-]{1,64}$/.test(kid)) throw new TokenKeysError(`${where}: it needs a kid`);
  if (typeof x !== 'string' || typeof y !== 'string' || typeof d !== 'string')
    throw new TokenKeysError(`${where}: not a private key`);
  return { kid, x, y, d };
}

function publicOf({ kid, x, y }: PrivateJwk): PublicJwk {
  return { kty: 'EC', crv: 'P-256', x, y, kid, alg: TOKEN_ALGORITHM, use: 'sig' };
}

async function importKey(jwk: JWK, index: number): Promise<CryptoKey> {
  let key: CryptoKey | Uint8Array;
  try {
    key = await importJWK(jwk, TOKEN_ALGORITHM);
  } catch {
    throw new TokenKeysError(`JWT_KEYS entry ${index + 1}: the key cannot be read`);
  }
  if (key instanceof Uint8Array) throw new TokenKeysError(`JWT_KEYS entry ${index + 1}: not an ES256 key`);
  return key;
}
