import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { Random } from './chance.ts';
import type { Keyring, KeyringKey } from './keyring.ts';

const IV_BYTES = 12;
const PARTS = /^(\d{1,3})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** A stored claim code that cannot be read: its key is gone, or it belongs to another payout. */
export class VoucherSecretError extends Error {
  override readonly name = 'VoucherSecretError';
}

/**
 * Encrypts a claim code for `payouts.voucher_code`: AES-256-GCM under the ring's current key, bound to its payout, as
 * `key id.iv.ciphertext`. Keys rotate by putting a new one first.
 */
export async function sealClaimCode(
  claimCode: string,
  payoutId: string,
  ring: Keyring,
  random: Random,
): Promise<string> {
  const key = ring.current();
  const iv = random.bytes(IV_BYTES);
  const sealed = await crypto.subtle.encrypt(
    parameters(iv, payoutId),
    await importKey(key),
    new TextEncoder().encode(claimCode),
  );
  return `${key.id}.${encodeBase64url(iv)}.${encodeBase64url(new Uint8Array(sealed))}`;
}

/**
 * The claim code of a payout.
 * @throws VoucherSecretError
 */
export async function openClaimCode(secret: string, payoutId: string, ring: Keyring): Promise<string> {
  const [, id = '', encodedIv = '', encodedText = ''] = PARTS.exec(secret) ?? [];
  const key = id === '' ? undefined : ring.byId(Number(id));
  const iv = decodeBase64url(encodedIv);
  const sealed = decodeBase64url(encodedText);
  if (iv?.length !== IV_BYTES || sealed === null) throw new VoucherSecretError('malformed voucher secret');
  if (key === undefined) throw new VoucherSecretError(`voucher key ${id} is not in the ring`);
  try {
    const opened = await crypto.subtle.decrypt(parameters(iv, payoutId), await importKey(key), sealed);
    return new TextDecoder().decode(opened);
  } catch {
    throw new VoucherSecretError('the voucher secret is not of this key and payout');
  }
}

function parameters(iv: Uint8Array<ArrayBuffer>, payoutId: string) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(payoutId), tagLength: 128 };
}

function importKey(key: KeyringKey): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key.secret, 'AES-GCM', false, ['encrypt', 'decrypt']);
}
