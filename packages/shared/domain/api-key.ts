import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { Random } from './chance.ts';
import { keyedHash, matchesKeyedHash } from './keyed-hash.ts';
import type { Keyring } from './keyring.ts';
import { uuidFromBytes, uuidToBytes } from './uuid.ts';

/** What every API key begins with, so that scanners of published code find it. */
export const API_KEY_PREFIX = 'hbk_';

const PURPOSE = 'api-key';
const ID_BYTES = 16;
const SECRET_BYTES = 32;
const TEXT_LENGTH = API_KEY_PREFIX.length + ((ID_BYTES + SECRET_BYTES) * 4) / 3;

/**
 * What an API key may be allowed: `<subject>:<verb>`, where the subject is the first part of a route's path behind `/v1/` and the verb `read` for GET, else
 * `write`. A route whose scope is not in this list takes no API key, so nothing personal does: sessions, profile, rewards, memberships, the keys themselves.
 */
export const SCOPES = [
  'offers:read',
  'campaigns:read',
  'campaigns:write',
  'links:read',
  'links:write',
  'analytics:read',
  'conversions:read',
  'widgets:read',
  'widgets:write',
  'webhooks:read',
  'webhooks:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/** The scope of a route, or null if it takes no API key. */
export function scopeOf(method: string, path: string): Scope | null {
  const subject = /^\/v1\/([a-z-]+)(?:\/|$)/.exec(path)?.[1] ?? '';
  const verb = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
  return SCOPES.find((scope) => scope === `${subject}:${verb}`) ?? null;
}

/** A key's parts: the id it is found by, and the whole text that is shown once and hashed. */
export type ApiKey = { keyId: string; text: string };

/** A new key for the id: `hbk_` and base64url of id (16 bytes) | secret (32), 68 characters. */
export function mintApiKey(keyId: string, random: Random): ApiKey {
  const bytes = new Uint8Array(ID_BYTES + SECRET_BYTES);
  bytes.set(uuidToBytes(keyId));
  bytes.set(random.bytes(SECRET_BYTES), ID_BYTES);
  return { keyId, text: API_KEY_PREFIX + encodeBase64url(bytes) };
}

/** The parts of what may be an API key, or null if it has another form. */
export function parseApiKey(text: string): ApiKey | null {
  if (text.length !== TEXT_LENGTH || !text.startsWith(API_KEY_PREFIX)) return null;
  const bytes = decodeBase64url(text.slice(API_KEY_PREFIX.length));
  return bytes === null ? null : { keyId: uuidFromBytes(bytes.subarray(0, ID_BYTES)), text };
}

/** What is stored of a key. */
export function hashApiKey(ring: Keyring, key: ApiKey): Promise<string> {
  return keyedHash(ring, PURPOSE, key.text);
}

/** True if `hash` was made of this key. */
export function isApiKeyOf(ring: Keyring, key: ApiKey, hash: string): Promise<boolean> {
  return matchesKeyedHash(ring, PURPOSE, key.text, hash);
}
