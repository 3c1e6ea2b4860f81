import { decodeBase64url } from './base64url.ts';

const DAY_MS = 86_400_000;
const SECRET_BYTES = 32;

/** How long a key still verifies after its rotation, in days (money rule 7). */
export const VERIFY_AFTER_ROTATION_DAYS = 180;

export type KeyringKey = {
  /** 0..255: the first byte of everything made with the key. */
  readonly id: number;
  /** 32 bytes. */
  readonly secret: Uint8Array<ArrayBuffer>;
  /** When the key was rotated out, in milliseconds since the Unix epoch; null while no date is written in the ring. */
  readonly retiredAt: number | null;
};

export type Keyring = {
  /** The key that signs or encrypts: the first of the ring. */
  current(): KeyringKey;
  /** A key that may still verify or decrypt old things, or undefined. Ask `isExpired` where money rule 7 applies. */
  byId(id: number): KeyringKey | undefined;
  /** The key for HMAC-SHA256, imported once per ring; from then on it is there at once. */
  hmacKey(key: KeyringKey): CryptoKey | Promise<CryptoKey>;
};

/** A ring that cannot be used. The message names the variable and the entry, never key material. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
}

/**
 * Parses a ring: `id:base64url(32 bytes)[@retired]`, comma separated, ids 0..255, the first entry is the current key.
 * `@retired` is the UTC day or RFC 3339 time at which a key was rotated out, for example `2:...,1:...@2026-05-01`; without it an old key
 * verifies as long as it is listed. To revoke a leaked key at once, remove it.
 *
 * @param name the variable the text came from, for messages
 * @throws KeyringError
 */
export function parseKeyring(text: string | undefined, name: string): Keyring {
  if (text === undefined || text.trim() === '') throw new KeyringError(`${name} is empty`);
  const keys = new Map<number, KeyringKey>();
  let current: KeyringKey | undefined;
  for (const [index, entry] of text.split(',').entries()) {
    const key = parseKey(entry.trim(), `${name} entry ${index + 1}`);
    if (keys.has(key.id)) throw new KeyringError(`${name} entry ${index + 1}: id ${key.id} is used twice`);
    keys.set(key.id, key);
    current ??= key;
  }
  if (current === undefined) throw new KeyringError(`${name} is empty`);
  if (current.retiredAt !== null) throw new KeyringError(`${name} entry 1: the current key must not be retired`);
  return keyringOf(current, keys);
}

/** True once a rotated key is past its 180 days (money rule 7). `now` in milliseconds since the Unix epoch. */
export function isExpired(key: KeyringKey, now: number): boolean {
  return key.retiredAt !== null && now > key.retiredAt + VERIFY_AFTER_ROTATION_DAYS * DAY_MS;
}

const rings = new Map<string, { text: string; ring: Keyring }>();

/**
 * As `parseKeyring`, remembering the last ring of each variable, so that a request costs no parsing and no key import.
 *
 * @throws KeyringError
 */
export function keyringFrom(text: string | undefined, name: string): Keyring {
  const known = rings.get(name);
  if (known !== undefined && known.text === text) return known.ring;
  const ring = parseKeyring(text, name);
  rings.set(name, { text: text ?? '', ring });
  return ring;
}

function keyringOf(current: KeyringKey, keys: ReadonlyMap<number, KeyringKey>): Keyring {
  const imported = new Map<number, CryptoKey>();
  const importKey = async (key: KeyringKey): Promise<CryptoKey> => {
    const fresh = await crypto.subtle.importKey('raw', key.secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    // The key is kept, not its promise: a promise belongs to the request that made it.
    imported.set(key.id, fresh);
    return fresh;
  };
  return {
    current: () => current,
    byId: (id) => keys.get(id),
    hmacKey: (key) => imported.get(key.id) ?? importKey(key),
  };
}

function parseKey(entry: string, where: string): KeyringKey {
  const match = /^(\d{1,3}):([^@]*)(?:@(.*))?$/.exec(entry);
  if (match === null) throw new KeyringError(`${where}: expected id:base64url(32 bytes)[@retired]`);
  const [, digits = '', encoded = '', retired] = match;
  const id = Number(digits);
  if (id > 255 || String(id) !== digits) throw new KeyringError(`${where}: the id must be an integer 0..255`);
  const secret = decodeBase64url(encoded);
  if (secret === null) throw new KeyringError(`${where}: the key is not base64url without padding`);
  if (secret.length !== SECRET_BYTES)
    throw new KeyringError(`${where}: the key must have 32 bytes, it has ${secret.length}`);
  return { id, secret, retiredAt: retired === undefined ? null : parseRetired(retired, where) };
}

function parseRetired(text: string, where: string): number {
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new KeyringError(`${where}: the time after @ must be a day or an RFC 3339 time`);
  return time;
}
