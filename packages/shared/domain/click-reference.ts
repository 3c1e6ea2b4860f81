import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { isExpired, type Keyring } from './keyring.ts';
import { equalBytes, MAC_BYTES, truncatedMac } from './mac.ts';
import { uuidFromBytes, uuidToBytes } from './uuid.ts';

const CLICK_ID_AT = 1;
const LINK_AT = 9;
const VISITOR_AT = 25;
const MAC_AT = 41;
const BYTES = MAC_AT + MAC_BYTES;
const NO_VISITOR = '00000000-0000-0000-0000-000000000000';

/** Every reference has this many characters; 57 bytes leave no trailing bits, so its encoding is unique. */
export const CLICK_REFERENCE_LENGTH = (BYTES * 4) / 3;

export type ClickReference = { clickId: bigint; linkId: string; visitorId: string | null };

export type VerifiedClickReference =
  | ({ ok: true; keyId: number } & ClickReference)
  | { ok: false; reason: 'malformed' | 'unknown_key' | 'expired_key' | 'wrong_mac' };

/**
 * The authenticated token that travels to the network as `p1` (money rule 7): base64url of
 * key id (1) | click id, big-endian (8) | link (16) | visitor, zero for none (16) | first 16 bytes of HMAC-SHA256 over all of that.
 * Throws a RangeError for an id that is not a positive BIGINT or a UUID in canonical form.
 */
export async function encodeClickReference(ring: Keyring, click: ClickReference): Promise<string> {
  if (click.clickId <= 0n || click.clickId >= 2n ** 63n) throw new RangeError('not a click id');
  const key = ring.current();
  const bytes = new Uint8Array(BYTES);
  bytes[0] = key.id;
  new DataView(bytes.buffer).setBigUint64(CLICK_ID_AT, click.clickId);
  bytes.set(uuidToBytes(click.linkId), LINK_AT);
  if (click.visitorId !== null) bytes.set(uuidToBytes(click.visitorId), VISITOR_AT);
  bytes.set(await truncatedMac(ring, key, bytes.subarray(0, MAC_AT)), MAC_AT);
  return encodeBase64url(bytes);
}

/**
 * What a reference says, if it is one of ours. A key verifies for 180 days after its rotation (money rule 7).
 *
 * @param now milliseconds since the Unix epoch
 */
export async function verifyClickReference(ring: Keyring, text: string, now: number): Promise<VerifiedClickReference> {
  const bytes = text.length === CLICK_REFERENCE_LENGTH ? decodeBase64url(text) : null;
  if (bytes === null) return { ok: false, reason: 'malformed' };
  const key = ring.byId(bytes[0] ?? -1);
  if (key === undefined) return { ok: false, reason: 'unknown_key' };
  if (isExpired(key, now)) return { ok: false, reason: 'expired_key' };
  const mac = await truncatedMac(ring, key, bytes.subarray(0, MAC_AT));
  if (!equalBytes(mac, bytes.subarray(MAC_AT))) return { ok: false, reason: 'wrong_mac' };
  const visitorId = uuidFromBytes(bytes.subarray(VISITOR_AT, MAC_AT));
  return {
    ok: true,
    keyId: key.id,
    clickId: new DataView(bytes.buffer).getBigUint64(CLICK_ID_AT),
    linkId: uuidFromBytes(bytes.subarray(LINK_AT, VISITOR_AT)),
    visitorId: visitorId === NO_VISITOR ? null : visitorId,
  };
}
