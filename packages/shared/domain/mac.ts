import type { Keyring, KeyringKey } from './keyring.ts';

/** Length of a truncated MAC, in bytes (money rule 7). */
export const MAC_BYTES = 16;

/** The first 16 bytes of HMAC-SHA256 of `message`. */
export async function truncatedMac(
  ring: Keyring,
  key: KeyringKey,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const imported = ring.hmacKey(key);
  const full = await crypto.subtle.sign('HMAC', imported instanceof Promise ? await imported : imported, message);
  return new Uint8Array(full, 0, MAC_BYTES);
}

/** Compares in a time that depends on the lengths alone. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
