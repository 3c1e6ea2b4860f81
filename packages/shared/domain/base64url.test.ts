import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from './base64url.ts';

it('encodes as the standard does, without padding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(encodeBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
    }),
  );
});

it('decodes what it encoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(decodeBase64url(encodeBase64url(bytes))).toEqual(new Uint8Array(bytes));
    }),
  );
});

it('accepts one text per value only: whatever decodes is its own canonical encoding', () => {
  const alphabet = fc.constantFrom(...'ABab09-_+/= \n');
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
      const bytes = decodeBase64url(text);
      if (bytes !== null) expect(encodeBase64url(bytes)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

it.each(['A', 'AB', 'AAB', 'AA==', 'AA+A', 'AA/A', 'AA A', 'AAA\n', 'ÄAAA'])('refuses %j', (text) => {
  expect(decodeBase64url(text)).toBeNull();
});
