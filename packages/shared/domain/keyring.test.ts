import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBase64url } from './base64url.ts';
import { isExpired, KeyringError, keyringFrom, parseKeyring } from './keyring.ts';

const DAY = 86_400_000;
const KEY_A = encodeBase64url(new Uint8Array(32).fill(1));
const KEY_B = encodeBase64url(new Uint8Array(32).fill(2));

describe('a ring', () => {
  it('signs with its first key and finds every key by id', () => {
    const ring = parseKeyring(` 2:${KEY_B} , 1:${KEY_A}@2026-05-01`, 'KEYS');
    expect(ring.current().id).toBe(2);
    expect(ring.byId(1)?.secret).toEqual(new Uint8Array(32).fill(1));
    expect(ring.byId(1)?.retiredAt).toBe(Date.parse('2026-05-01T00:00:00Z'));
    expect(ring.byId(2)?.retiredAt).toBeNull();
    expect(ring.byId(3)).toBeUndefined();
  });

  it('takes a full time for the rotation', () => {
    const ring = parseKeyring(`2:${KEY_B},1:${KEY_A}@2026-05-01T10:00:00+05:30`, 'KEYS');
    expect(ring.byId(1)?.retiredAt).toBe(Date.parse('2026-05-01T04:30:00Z'));
  });

  it('keeps a rotated key for 180 days (money rule 7)', () => {
    const ring = parseKeyring(`2:${KEY_B},1:${KEY_A}@2026-05-01`, 'KEYS');
    const rotated = Date.parse('2026-05-01T00:00:00Z');
    const old = ring.byId(1);
    if (old === undefined) throw new Error('missing');
    expect(isExpired(old, rotated + 180 * DAY)).toBe(false);
    expect(isExpired(old, rotated + 180 * DAY + 1)).toBe(true);
    expect(isExpired(ring.current(), rotated + 10_000 * DAY)).toBe(false);
  });

  it('imports each key once', async () => {
    const ring = parseKeyring(`2:${KEY_B},1:${KEY_A}`, 'KEYS');
    const first = await ring.hmacKey(ring.current());
    expect(await ring.hmacKey(ring.current())).toBe(first);
    const other = ring.byId(1);
    if (other === undefined) throw new Error('missing');
    expect(await ring.hmacKey(other)).not.toBe(first);
    expect(first.extractable).toBe(false);
  });

  it('is parsed once per variable until its text changes', () => {
    const ring = keyringFrom(`1:${KEY_A}`, 'ONE');
    expect(keyringFrom(`1:${KEY_A}`, 'ONE')).toBe(ring);
    expect(keyringFrom(`1:${KEY_A}`, 'TWO')).not.toBe(ring);
    expect(keyringFrom(`2:${KEY_B}`, 'ONE').current().id).toBe(2);
  });
});

describe('a ring that cannot be used', () => {
  it.each([
    ['nothing', undefined, 'KEYS is empty'],
    ['blanks', '  ', 'KEYS is empty'],
    ['no id', KEY_A, 'entry 1: expected id:'],
    ['an id above 255', `256:${KEY_A}`, 'entry 1: the id must be an integer 0..255'],
    ['a padded id', `01:${KEY_A}`, 'entry 1: the id must be an integer 0..255'],
    ['a short key', '1:AAAA', 'entry 1: the key must have 32 bytes, it has 3'],
    ['a key in another alphabet', `1:${'+'.repeat(43)}`, 'entry 1: the key is not base64url'],
    ['an id twice', `1:${KEY_A},1:${KEY_B}`, 'entry 2: id 1 is used twice'],
    ['an empty entry', `1:${KEY_A},`, 'entry 2: expected id:'],
    ['a retired current key', `1:${KEY_A}@2026-05-01`, 'the current key must not be retired'],
    ['a rotation time that is none', `2:${KEY_A},1:${KEY_B}@soon`, 'entry 2: the time after @'],
    ['a rotation day that is none', `2:${KEY_A},1:${KEY_B}@2026-13-01`, 'entry 2: the time after @'],
  ])('%s is named by variable and entry', (_name, text, message) => {
    expect(() => parseKeyring(text, 'KEYS')).toThrow(KeyringError);
    expect(() => parseKeyring(text, 'KEYS')).toThrow(message);
  });

  it('is never echoed (property)', () => {
    const secret = 'c2VjcmV0LWtleS1tYXRlcmlhbA';
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        try {
          parseKeyring(`${before}${secret}${after}`, 'KEYS');
        } catch (error) {
          expect(String(error)).not.toContain(secret);
          expect(error).toBeInstanceOf(KeyringError);
        }
      }),
    );
  });
});
