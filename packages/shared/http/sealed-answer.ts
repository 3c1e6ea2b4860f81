import { decodeBase64url, encodeBase64url } from '../domain/base64url.ts';
import type { Random } from '../domain/chance.ts';
import type { Keyring, KeyringKey } from '../domain/keyring.ts';

/** An answer as it was given. */
export type KeptAnswer = { status: number; headers: Record<string, string>; body: string };

const IV_BYTES = 12;
const PARTS = /^(\d{1,3})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]+)$/;
const PURPOSE = new TextEncoder().encode('hissaback kept answer 1');

/**
 * An answer as text that only the ring's holder can read, bound to the key it is kept under: `key id.iv.ciphertext`, AES-256-GCM under a key derived from
 * the ring's current one for this purpose alone.
 */
export async function sealAnswer(answer: KeptAnswer, keyId: string, ring: Keyring, random: Random): Promise<string> {
  const key = ring.current();
  const iv = random.bytes(IV_BYTES);
  const text = new TextEncoder().encode(JSON.stringify(answer));
  const sealed = await crypto.subtle.encrypt(parameters(iv, keyId), await derived(key), text);
  return `${key.id}.${encodeBase64url(iv)}.${encodeBase64url(new Uint8Array(sealed))}`;
}

/** The answer in a sealed text, or null if it cannot be read: its key is gone, or it was kept under another one. */
export async function openAnswer(text: string, keyId: string, ring: Keyring): Promise<KeptAnswer | null> {
  const [, id = '', encodedIv = '', encodedText = ''] = PARTS.exec(text) ?? [];
  const key = id === '' ? undefined : ring.byId(Number(id));
  const iv = decodeBase64url(encodedIv);
  const sealed = decodeBase64url(encodedText);
  if (key === undefined || iv === null || sealed === null) return null;
  try {
    const opened = await crypto.subtle.decrypt(parameters(iv, keyId), await derived(key), sealed);
    return JSON.parse(new TextDecoder().decode(opened)) as KeptAnswer;
  } catch {
    return null;
  }
}

function parameters(iv: Uint8Array<ArrayBuffer>, keyId: string) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(keyId), tagLength: 128 };
}

async function derived(key: KeyringKey): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', key.secret, 'HKDF', false, ['deriveKey']);
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: PURPOSE };
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
