import type { Random } from './chance.ts';
import type { Keyring } from './keyring.ts';
import { openText, SealedTextError, sealText } from './sealed-text.ts';

/** A stored claim code that cannot be read: its key is gone, or it belongs to another payout. */
export class VoucherSecretError extends Error {
  override readonly name = 'VoucherSecretError';
}

/**
 * Encrypts a claim code for `payouts.voucher_code`: AES-256-GCM under the ring's current key, bound to its payout, as
 * `key id.iv.ciphertext`. Keys rotate by putting a new one first.
 */
export function sealClaimCode(claimCode: string, payoutId: string, ring: Keyring, random: Random): Promise<string> {
  return sealText(claimCode, payoutId, ring, random);
}

/**
 * The claim code of a payout.
 * @throws VoucherSecretError
 */
export async function openClaimCode(secret: string, payoutId: string, ring: Keyring): Promise<string> {
  try {
    return await openText(secret, payoutId, ring);
  } catch (error) {
    if (error instanceof SealedTextError)
      throw new VoucherSecretError(`the voucher secret cannot be read: ${error.message}`);
    throw error;
  }
}
