import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from './chance.fake.ts';
import { isUuid, mintUuid, uuidFromBytes, uuidToBytes } from './uuid.ts';

it('survives the way to bytes and back', () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(uuidFromBytes(uuidToBytes(uuid))).toBe(uuid);
    }),
  );
});

it('mints version 4', () => {
  const random = seededRandom(3);
  for (let n = 0; n < 50; n++) {
    expect(mintUuid(random)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

it('knows one spelling only, the one PostgreSQL prints', () => {
  expect(isUuid('11111111-1111-4111-8111-11111111111f')).toBe(true);
  for (const other of ['11111111-1111-4111-8111-11111111111F', '11111111111141118111111111111111', '', null, 7]) {
    expect(isUuid(other)).toBe(false);
  }
  expect(() => uuidToBytes('x')).toThrow(RangeError);
  expect(() => uuidFromBytes(new Uint8Array(15))).toThrow(RangeError);
});
