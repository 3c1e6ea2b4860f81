import type { Random } from './chance.ts';
import type { Keyring } from './keyring.ts';
import { isSealedNow, openText, sealText } from './sealed-text.ts';
import { WEBHOOK_SECRET_PREFIX } from './webhook-signature.ts';

/** Where a signing secret is kept: it opens for no other endpoint. */
export type SecretOwner = { tenant_id: string; endpoint_id: string };

/** Encrypts a signing secret for `webhook_endpoints.secret`, under the current key of `WEBHOOK_KEYS`. */
export function sealWebhookSecret(secret: string, owner: SecretOwner, ring: Keyring, random: Random): Promise<string> {
  return sealText(secret, ownerText(owner), ring, random);
}

/**
 * The signing secret of an endpoint. One from before secrets were encrypted is read as it is, until the next sweep encrypts it.
 *
 * @throws SealedTextError
 */
export async function openWebhookSecret(kept: string, owner: SecretOwner, ring: Keyring): Promise<string> {
  return kept.startsWith(WEBHOOK_SECRET_PREFIX) ? kept : openText(kept, ownerText(owner), ring);
}

/**
 * The secret sealed with the ring's current key, or null if it is already.
 *
 * @throws SealedTextError
 */
export async function resealWebhookSecret(
  kept: string,
  owner: SecretOwner,
  ring: Keyring,
  random: Random,
): Promise<string | null> {
  if (isSealedNow(kept, ring)) return null;
  return sealWebhookSecret(await openWebhookSecret(kept, owner, ring), owner, ring, random);
}

function ownerText({ tenant_id, endpoint_id }: SecretOwner): string {
  return `webhook secret ${tenant_id} ${endpoint_id}`;
}
