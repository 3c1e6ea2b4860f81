import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { normalizeHost } from './host.ts';
import { isExpired, type Keyring, type KeyringKey } from './keyring.ts';
import { equalBytes, MAC_BYTES, truncatedMac } from './mac.ts';
import { uuidFromBytes, uuidToBytes } from './uuid.ts';

/** Name of the first-party cookie that carries the visitor id (money rule 8). */
export const VISITOR_COOKIE = 'hb_v';

/** How long the cookie lives, in seconds: 400 days, the longest that browsers grant. */
export const VISITOR_COOKIE_SECONDS = 400 * 86_400;

const VISITOR_AT = 1;
const MAC_AT = 17;
const VALUE_LENGTH = ((MAC_AT + MAC_BYTES) * 4) / 3;
const MAX_CANDIDATES = 4;

export type Visitor = {
  visitorId: string;
  /** False if the cookie was made with a rotated key: set it again, with the same visitor. */
  keyIsCurrent: boolean;
};

/**
 * The value of the visitor cookie: base64url of key id (1) | visitor (16) | first 16 bytes of HMAC-SHA256 over both and the host.
 * It proves nothing on another host (money rule 8).
 *
 * @param host the host that sets it; case, port and trailing dot do not matter
 */
export async function encodeVisitor(ring: Keyring, visitorId: string, host: string): Promise<string> {
  const key = ring.current();
  const bytes = new Uint8Array(MAC_AT + MAC_BYTES);
  bytes[0] = key.id;
  bytes.set(uuidToBytes(visitorId), VISITOR_AT);
  bytes.set(await visitorMac(ring, key, bytes.subarray(0, MAC_AT), host), MAC_AT);
  return encodeBase64url(bytes);
}

/** The visitor of a cookie value, or null if it is not ours, not this host's, or its key expired. `now` in milliseconds since the epoch. */
export async function verifyVisitor(ring: Keyring, value: string, host: string, now: number): Promise<Visitor | null> {
  const bytes = value.length === VALUE_LENGTH ? decodeBase64url(value) : null;
  const key = bytes === null ? undefined : ring.byId(bytes[0] ?? -1);
  if (bytes === null || key === undefined || isExpired(key, now)) return null;
  const mac = await visitorMac(ring, key, bytes.subarray(0, MAC_AT), host);
  if (!equalBytes(mac, bytes.subarray(MAC_AT))) return null;
  return { visitorId: uuidFromBytes(bytes.subarray(VISITOR_AT, MAC_AT)), keyIsCurrent: key === ring.current() };
}

/**
 * The visitor named by a request's `Cookie` header, or null. A page on a sibling host can plant a second `hb_v`, so the first few are tried and
 * the first authentic one counts.
 *
 * @param header the `Cookie` header as received, if any
 */
export async function visitorFromCookies(
  ring: Keyring,
  header: string | null | undefined,
  host: string,
  now: number,
): Promise<Visitor | null> {
  if (!header) return null;
  for (const value of cookieValues(header, VISITOR_COOKIE).slice(0, MAX_CANDIDATES)) {
    const visitor = await verifyVisitor(ring, value, host, now);
    if (visitor !== null) return visitor;
  }
  return null;
}

/** The `Set-Cookie` header for a value made by `encodeVisitor`. `secure` on https. */
export function visitorSetCookie(value: string, secure: boolean): string {
  const attributes = `Max-Age=${VISITOR_COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Lax`;
  return `${VISITOR_COOKIE}=${value}; ${attributes}${secure ? '; Secure' : ''}`;
}

/** Every value of a cookie in a `Cookie` header, in order, without surrounding quotes. Junk between them is skipped. */
export function cookieValues(header: string, name: string): string[] {
  const values: string[] = [];
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    values.push(/^".*"$/.test(value) ? value.slice(1, -1) : value);
  }
  return values;
}

/** Answers the MAC's own promise: another one around it would only cost. */
function visitorMac(ring: Keyring, key: KeyringKey, head: Uint8Array, host: string): Promise<Uint8Array> {
  const hostBytes = bytesOfHost(host);
  const message = new Uint8Array(head.length + hostBytes.length);
  message.set(head);
  message.set(hostBytes, head.length);
  return truncatedMac(ring, key, message);
}

const encoder = new TextEncoder();
let lastHost: { host: string; bytes: Uint8Array } = { host: '', bytes: new Uint8Array(0) };

/** Remembers the last one: requests of one host follow each other. */
function bytesOfHost(host: string): Uint8Array {
  if (lastHost.host !== host) lastHost = { host, bytes: encoder.encode(normalizeHost(host)) };
  return lastHost.bytes;
}
