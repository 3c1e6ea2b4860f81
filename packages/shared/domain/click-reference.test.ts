import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { CLICK_REFERENCE_LENGTH, encodeClickReference, verifyClickReference } from './click-reference.ts';
import { parseKeyring } from './keyring.ts';

const NOW = Date.parse('2026-10-15T12:00:00Z');
const DAY = 86_400_000;
const KEY_A = encodeBase64url(new Uint8Array(32).fill(1));
const KEY_B = encodeBase64url(new Uint8Array(32).fill(2));
const ring = parseKeyring(`7:${KEY_A}`, 'REFERENCE_KEYS');
const LINK = '11111111-1111-4111-8111-111111111111';
const clicks = fc.record({
  clickId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
  linkId: fc.uuid(),
  visitorId: fc.option(fc.uuid(), { nil: null }),
});

describe('a click reference (money rule 7)', () => {
  it('says what went into it, in 76 characters of base64url', async () => {
    await fc.assert(
      fc.asyncProperty(clicks, async (click) => {
        const text = await encodeClickReference(ring, click);
        expect(text).toMatch(/^[\w-]{76}$/);
        expect(text.length).toBe(CLICK_REFERENCE_LENGTH);
        expect(await verifyClickReference(ring, text, NOW)).toEqual({ ok: true, keyId: 7, ...click });
      }),
    );
  });

  it('has the documented layout', async () => {
    const text = await encodeClickReference(ring, { clickId: 0x0102030405060708n, linkId: LINK, visitorId: null });
    const bytes = decodeBase64url(text);
    if (bytes === null) throw new Error('not base64url');
    expect([...bytes.subarray(0, 9)]).toEqual([7, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...bytes.subarray(25, 41)]).toEqual(Array(16).fill(0));
    const mac = createHmac('sha256', new Uint8Array(32).fill(1)).update(bytes.subarray(0, 41)).digest().subarray(0, 16);
    expect([...bytes.subarray(41)]).toEqual([...mac]);
  });

  it('is refused when any one of its bits is changed', async () => {
    const text = await encodeClickReference(ring, { clickId: 5n, linkId: LINK, visitorId: null });
    const bytes = decodeBase64url(text);
    if (bytes === null) throw new Error('not base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = bytes.slice();
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect((await verifyClickReference(ring, encodeBase64url(forged), NOW)).ok).toBe(false);
    }
  });

  it('has one spelling: no other text of any length verifies', async () => {
    const text = await encodeClickReference(ring, { clickId: 5n, linkId: LINK, visitorId: null });
    for (const other of [`${text}=`, `${text}A`, text.slice(1), ` ${text}`, text.replace(/.$/, '='), `${text}\n`]) {
      expect(await verifyClickReference(ring, other, NOW)).toEqual({ ok: false, reason: 'malformed' });
    }
  });

  it('made with another key is refused, and says why', async () => {
    const click = { clickId: 5n, linkId: LINK, visitorId: null };
    const sameId = await encodeClickReference(parseKeyring(`7:${KEY_B}`, 'KEYS'), click);
    expect(await verifyClickReference(ring, sameId, NOW)).toEqual({ ok: false, reason: 'wrong_mac' });
    const otherId = await encodeClickReference(parseKeyring(`8:${KEY_B}`, 'KEYS'), click);
    expect(await verifyClickReference(ring, otherId, NOW)).toEqual({ ok: false, reason: 'unknown_key' });
  });

  it('verifies for 180 days after its key was rotated', async () => {
    const text = await encodeClickReference(ring, { clickId: 5n, linkId: LINK, visitorId: null });
    const rotated = parseKeyring(`8:${KEY_B},7:${KEY_A}@2026-10-15`, 'REFERENCE_KEYS');
    const day = Date.parse('2026-10-15T00:00:00Z');
    expect((await verifyClickReference(rotated, text, day + 180 * DAY)).ok).toBe(true);
    expect(await verifyClickReference(rotated, text, day + 180 * DAY + 1)).toEqual({
      ok: false,
      reason: 'expired_key',
    });
  });

  it('is refused when it is junk, never by throwing (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.string({ minLength: 76, maxLength: 76 }), fc.base64String()),
        async (text) => {
          expect((await verifyClickReference(ring, text, NOW)).ok).toBe(false);
        },
      ),
    );
  });

  it('is not made from ids that are none', async () => {
    await expect(encodeClickReference(ring, { clickId: 0n, linkId: LINK, visitorId: null })).rejects.toThrow(
      RangeError,
    );
    await expect(encodeClickReference(ring, { clickId: 2n ** 63n, linkId: LINK, visitorId: null })).rejects.toThrow(
      RangeError,
    );
    await expect(encodeClickReference(ring, { clickId: 1n, linkId: 'x', visitorId: null })).rejects.toThrow(RangeError);
  });
});
