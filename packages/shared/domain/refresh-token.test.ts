import { expect, test } from 'vitest';
import { decodeRefreshToken, encodeRefreshToken, refreshTokenMac } from './refresh-token.ts';

const SESSION = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
const SECRET = new Uint8Array(32).fill(7);

test('a token is 70 characters of base64url and reads back', async () => {
  for (const generation of [0, 1, 4_294_967_295]) {
    const mac = await refreshTokenMac(SECRET, SESSION, generation);
    const text = encodeRefreshToken({ sessionId: SESSION, generation, mac });
    expect(text).toMatch(/^[\w-]{70}$/);
    expect(decodeRefreshToken(text)).toEqual({ sessionId: SESSION, generation, mac });
  }
});

test('the proof differs by secret, session and number', async () => {
  const macs = await Promise.all([
    refreshTokenMac(SECRET, SESSION, 0),
    refreshTokenMac(SECRET, SESSION, 1),
    refreshTokenMac(SECRET, SESSION.replace('c001', 'c002'), 0),
    refreshTokenMac(new Uint8Array(32), SESSION, 0),
  ]);
  expect(new Set(macs.map(String)).size).toBe(4);
});

test.each(['', 'x', 'A'.repeat(69), 'A'.repeat(71), `${'A'.repeat(69)}!`, `${'A'.repeat(69)}B`])(
  'what has another form is no token: %s',
  (text) => {
    expect(decodeRefreshToken(text)).toBeNull();
  },
);
