import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { encodeBase64url } from './base64url.ts';
import { parseKeyring } from './keyring.ts';
import { equalBytes, truncatedMac } from './mac.ts';

it('is the first 16 bytes of HMAC-SHA256', async () => {
  const secret = new Uint8Array(32).fill(9);
  const ring = parseKeyring(`1:${encodeBase64url(secret)}`, 'KEYS');
  const message = new TextEncoder().encode('message');
  const expected = createHmac('sha256', secret).update(message).digest().subarray(0, 16);
  expect(await truncatedMac(ring, ring.current(), message)).toEqual(new Uint8Array(expected));
});

it('bytes are equal only if every one of them is, and none is missing', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(equalBytes(bytes, Uint8Array.of(1, 2, 3))).toBe(true);
  for (const other of [[1, 2, 4], [0, 2, 3], [1, 2], [1, 2, 3, 0], []]) {
    expect(equalBytes(bytes, Uint8Array.from(other))).toBe(false);
  }
});
