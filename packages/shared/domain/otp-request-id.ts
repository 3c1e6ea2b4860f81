import { decodeBase64url, encodeBase64url } from './base64url.ts';

/** Random bytes in a request id. */
export const OTP_NONCE_BYTES = 16;
const OBJECT_ID_BYTES = 32;

export type OtpRequestId = {
  nonce: Uint8Array<ArrayBuffer>;
  /** The phone's object, 64 hexadecimal digits. */
  objectId: string;
};

/** `request_id`: base64url of the nonce (16 bytes) and the id of the phone's object (32 bytes), 64 characters. It says nothing of the phone. */
export function encodeOtpRequestId({ nonce, objectId }: OtpRequestId): string {
  if (nonce.length !== OTP_NONCE_BYTES || !/^[0-9a-f]{64}$/.test(objectId)) throw new RangeError('not a request id');
  const bytes = new Uint8Array(OTP_NONCE_BYTES + OBJECT_ID_BYTES);
  bytes.set(nonce);
  for (let index = 0; index < OBJECT_ID_BYTES; index++) {
    bytes[OTP_NONCE_BYTES + index] = Number.parseInt(objectId.slice(index * 2, index * 2 + 2), 16);
  }
  return encodeBase64url(bytes);
}

/** The parts of a request id, or null if it has another form. */
export function decodeOtpRequestId(text: string): OtpRequestId | null {
  if (text.length !== ((OTP_NONCE_BYTES + OBJECT_ID_BYTES) * 4) / 3) return null;
  const bytes = decodeBase64url(text);
  if (bytes === null) return null;
  const digits = [...bytes.subarray(OTP_NONCE_BYTES)].map((byte) => byte.toString(16).padStart(2, '0'));
  return { nonce: bytes.slice(0, OTP_NONCE_BYTES), objectId: digits.join('') };
}
