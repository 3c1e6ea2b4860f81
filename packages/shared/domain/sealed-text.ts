import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { Random } from './chance.ts';
import type { Keyring, KeyringKey } from './keyring.ts';

const IV_BYTES = 12;
const PARTS = /^(\d{1,3})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** A sealed text that cannot be read: its key is gone, or it belongs to something else. The message holds nothing of it. */
export class SealedTextError extends Error {
  override readonly name: string = 'SealedTextError';
}

/**
 * Encrypts a text for a column: AES-256-GCM under the ring's current key, bound to what it belongs to, as `key id.iv.ciphertext`. Keys rotate by putting a
 * new one first.
 *
 * @param owner what the text belongs to; under another owner it does not open
 */
export async function sealText(text: string, owner: string, ring: Keyring, random: Random): Promise<string> {
  const key = ring.current();
  const iv = random.bytes(IV_BYTES);
  const bytes = new TextEncoder().encode(text);
  const sealed = await crypto.subtle.encrypt(parameters(iv, owner), await importKey(key), bytes);
  return `${key.id}.${encodeBase64url(iv)}.${encodeBase64url(new Uint8Array(sealed))}`;
}

/**
 * The text of an owner.
 * @throws SealedTextError
 */
export async function openText(sealed: string, owner: string, ring: Keyring): Promise<string> {
  const [, id = '', encodedIv = '', encodedText = ''] = PARTS.exec(sealed) ?? [];
  const key = id === '' ? undefined : ring.byId(Number(id));
  const iv = decodeBase64url(encodedIv);
  const bytes = decodeBase64url(encodedText);
  if (iv?.length !== IV_BYTES || bytes === null) throw new SealedTextError('malformed');
  if (key === undefined) throw new SealedTextError(`key ${id} is not in the ring`);
  try {
    const opened = await crypto.subtle.decrypt(parameters(iv, owner), await importKey(key), bytes);
    return new TextDecoder().decode(opened);
  } catch {
    throw new SealedTextError('not of this key and owner');
  }
}

/** True for a text that was sealed with the ring's current key. */
export function isSealedNow(sealed: string, ring: Keyring): boolean {
  return PARTS.exec(sealed)?.[1] === String(ring.current().id);
}

function parameters(iv: Uint8Array<ArrayBuffer>, owner: string) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(owner), tagLength: 128 };
}

function importKey(key: KeyringKey): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key.secret, 'AES-GCM', false, ['encrypt', 'decrypt']);
}
