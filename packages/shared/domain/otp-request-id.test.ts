import { expect, test } from 'vitest';
import { decodeOtpRequestId, encodeOtpRequestId } from './otp-request-id.ts';

const id = { nonce: new Uint8Array(16).fill(9), objectId: 'ab'.repeat(32) };

test('a request id is 64 characters and leads back to its parts', () => {
  const text = encodeOtpRequestId(id);
  expect(text).toMatch(/^[\w-]{64}$/);
  expect(decodeOtpRequestId(text)).toEqual(id);
});

test.each(['', 'x', 'A'.repeat(63), 'A'.repeat(65), '!'.repeat(64), '='.repeat(64), `${'A'.repeat(63)}\n`])(
  '%o is no request id',
  (text) => {
    expect(decodeOtpRequestId(text)).toBeNull();
  },
);

test('other parts make no request id', () => {
  expect(() => encodeOtpRequestId({ ...id, nonce: new Uint8Array(15) })).toThrow(RangeError);
  expect(() => encodeOtpRequestId({ ...id, objectId: 'phone' })).toThrow(RangeError);
});
