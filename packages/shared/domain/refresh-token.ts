import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { uuidFromBytes, uuidToBytes } from './uuid.ts';

const SESSION_BYTES = 16;
const GENERATION_BYTES = 4;
const MAC_BYTES = 32;
const LENGTH = SESSION_BYTES + GENERATION_BYTES + MAC_BYTES;
const TEXT_LENGTH = Math.ceil((LENGTH * 4) / 3);

/** A refresh token's parts: which session, its number within it, and the proof of both. */
export type RefreshToken = { sessionId: string; generation: number; mac: Uint8Array<ArrayBuffer> };

/** base64url of session (16 bytes) | generation (4, big-endian) | HMAC-SHA256 (32), 70 characters. */
export function encodeRefreshToken({ sessionId, generation, mac }: RefreshToken): string {
  const bytes = new Uint8Array(LENGTH);
  bytes.set(headOf(sessionId, generation));
  bytes.set(mac, SESSION_BYTES + GENERATION_BYTES);
  return encodeBase64url(bytes);
}

/** The parts of a refresh token, or null if it has another form. */
export function decodeRefreshToken(text: string): RefreshToken | null {
  const bytes = text.length === TEXT_LENGTH ? decodeBase64url(text) : null;
  if (bytes === null) return null;
  return {
    sessionId: uuidFromBytes(bytes.subarray(0, SESSION_BYTES)),
    generation: new DataView(bytes.buffer).getUint32(SESSION_BYTES),
    mac: bytes.slice(SESSION_BYTES + GENERATION_BYTES),
  };
}

/** The proof that a generation of a session is genuine: HMAC-SHA256 by the session's secret (32 bytes). */
export async function refreshTokenMac(
  secret: Uint8Array<ArrayBuffer>,
  sessionId: string,
  generation: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, headOf(sessionId, generation)));
}

function headOf(sessionId: string, generation: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(SESSION_BYTES + GENERATION_BYTES);
  head.set(uuidToBytes(sessionId));
  new DataView(head.buffer).setUint32(SESSION_BYTES, generation);
  return head;
}
