import type { Random } from './chance.ts';

/** Two hexadecimal digits for each byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a UUID as PostgreSQL prints it: 36 characters, lower case. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && CANONICAL.test(text);
}

/** A random UUID (version 4). */
export function mintUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return uuidFromBytes(bytes);
}

/** The 16 bytes of a UUID. Throws a RangeError if it is not in canonical form. */
export function uuidToBytes(uuid: string): Uint8Array<ArrayBuffer> {
  if (!isUuid(uuid)) throw new RangeError('not a UUID in canonical form');
  const bytes = new Uint8Array(16);
  let position = 0;
  for (let index = 0; index < uuid.length; index += 2) {
    if (uuid.charAt(index) === '-') index++;
    bytes[position++] = (digit(uuid, index) << 4) | digit(uuid, index + 1);
  }
  return bytes;
}

/** The canonical text of the UUID in `bytes` (exactly 16, else a RangeError). */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError('a UUID has 16 bytes');
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += HEX[bytes[index] ?? 0];
  }
  return text;
}

/** The value of a hexadecimal digit that is known to be one, in lower case. */
function digit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 58 ? code - 48 : code - 87;
}
