import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { Random } from './chance.ts';

/** What a signing secret begins with (Standard Webhooks, symmetric signatures). */
export const WEBHOOK_SECRET_PREFIX = 'whsec_';

const SECRET_BYTES = 32;
const VERSION = 'v1';

/** A new signing secret: `whsec_` and base64 of 32 bytes. */
export function mintWebhookSecret(random: Random): string {
  return WEBHOOK_SECRET_PREFIX + encodeBase64(random.bytes(SECRET_BYTES));
}

/** What a message is signed over. `timestamp` in seconds since the Unix epoch. */
export type SignedMessage = { id: string; timestamp: number; body: string };

/**
 * The headers of a message as Standard Webhooks describes them (standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over `id.timestamp.body`, in
 * base64 behind `v1,`, one signature for each secret, parted by a space.
 *
 * @param secrets as `mintWebhookSecret` makes them; the current one first
 * @throws RangeError for a secret of another form
 */
export async function webhookHeaders(
  secrets: readonly string[],
  { id, timestamp, body }: SignedMessage,
): Promise<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const signed = Uint8Array.from(new TextEncoder().encode(`${id}.${timestamp}.${body}`));
  const signatures = await Promise.all(
    secrets.map(async (secret) => `${VERSION},${encodeBase64(await hmac(keyOf(secret), signed))}`),
  );
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

async function hmac(key: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message));
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const text = secret.startsWith(WEBHOOK_SECRET_PREFIX) ? secret.slice(WEBHOOK_SECRET_PREFIX.length) : '';
  const key = decodeBase64url(text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''));
  if (key === null || key.length === 0) throw new RangeError('not a webhook secret');
  return key;
}

function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}
