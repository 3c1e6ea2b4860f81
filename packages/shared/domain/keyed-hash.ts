import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { Keyring, KeyringKey } from './keyring.ts';
import { equalBytes } from './mac.ts';

/**
 * A keyed hash to be stored and compared, never read: `<key id>.<base64url of HMAC-SHA256>`. The same text gives the same hash as long as the key is current.
 *
 * @param purpose what the hash is for; one purpose's hash is worth nothing to another
 */
export async function keyedHash(ring: Keyring, purpose: string, text: string): Promise<string> {
  const key = ring.current();
  return `${key.id}.${encodeBase64url(await hash(ring, key, purpose, text))}`;
}

/** True if `stored` is the keyed hash of `text`, by whichever key of the ring made it. Compares in constant time. */
export async function matchesKeyedHash(ring: Keyring, purpose: string, text: string, stored: string): Promise<boolean> {
  const [id = '', encoded = ''] = stored.split('.');
  const key = /^\d{1,3}$/.test(id) ? ring.byId(Number(id)) : undefined;
  const known = decodeBase64url(encoded);
  if (key === undefined || known === null) return false;
  return equalBytes(known, await hash(ring, key, purpose, text));
}

async function hash(ring: Keyring, key: KeyringKey, purpose: string, text: string): Promise<Uint8Array> {
  const message = Uint8Array.from(new TextEncoder().encode(`${purpose}|${text}`));
  return new Uint8Array(await crypto.subtle.sign('HMAC', await ring.hmacKey(key), message));
}
