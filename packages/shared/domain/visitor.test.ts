import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { parseKeyring } from './keyring.ts';
import { cookieValues, encodeVisitor, verifyVisitor, visitorFromCookies, visitorSetCookie } from './visitor.ts';

const NOW = Date.parse('2026-10-15T12:00:00Z');
const KEY_A = encodeBase64url(new Uint8Array(32).fill(1));
const KEY_B = encodeBase64url(new Uint8Array(32).fill(2));
const ring = parseKeyring(`1:${KEY_A}`, 'VISITOR_KEYS');
const VISITOR = '33333333-3333-4333-8333-333333333333';

describe('the visitor cookie (money rule 8)', () => {
  it('names its visitor on the host that set it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uuid(), fc.domain(), async (visitorId, host) => {
        const value = await encodeVisitor(ring, visitorId, host);
        expect(value).toMatch(/^[\w-]{44}$/);
        expect(await verifyVisitor(ring, value, `${host.toUpperCase()}.:8787`, NOW)).toEqual({
          visitorId,
          keyIsCurrent: true,
        });
      }),
    );
  });

  it('proves nothing on any other host', async () => {
    await fc.assert(
      fc.asyncProperty(fc.domain(), fc.domain(), async (host, other) => {
        fc.pre(host.toLowerCase() !== other.toLowerCase());
        expect(await verifyVisitor(ring, await encodeVisitor(ring, VISITOR, host), other, NOW)).toBeNull();
      }),
    );
  });

  it('is refused when any one of its bits is changed', async () => {
    const bytes = decodeBase64url(await encodeVisitor(ring, VISITOR, 'a.example'));
    if (bytes === null) throw new Error('not base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = bytes.slice();
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await verifyVisitor(ring, encodeBase64url(forged), 'a.example', NOW)).toBeNull();
    }
  });

  it('made with a rotated key still names its visitor, until the key expires', async () => {
    const value = await encodeVisitor(ring, VISITOR, 'a.example');
    const rotated = parseKeyring(`2:${KEY_B},1:${KEY_A}@2026-10-01`, 'VISITOR_KEYS');
    expect(await verifyVisitor(rotated, value, 'a.example', NOW)).toEqual({ visitorId: VISITOR, keyIsCurrent: false });
    expect(await verifyVisitor(rotated, value, 'a.example', NOW + 181 * 86_400_000)).toBeNull();
  });

  it('is HttpOnly, first-party and lives 400 days', () => {
    expect(visitorSetCookie('v', true)).toBe('hb_v=v; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax; Secure');
    expect(visitorSetCookie('v', false)).not.toContain('Secure');
  });
});

describe('a Cookie header', () => {
  it('is searched for the first authentic cookie of the name', async () => {
    const value = await encodeVisitor(ring, VISITOR, 'a.example');
    for (const header of [
      `hb_v=${value}`,
      `a=b; hb_v=${value}; c`,
      `hb_v=junk;hb_v="${value}"`,
      `;;=; hb_v = ${value} `,
    ]) {
      expect((await visitorFromCookies(ring, header, 'a.example', NOW))?.visitorId).toBe(VISITOR);
    }
    for (const header of [null, undefined, '', 'hb_v', 'hb_v=', `xhb_v=${value}`, `HB_V=${value}`]) {
      expect(await visitorFromCookies(ring, header, 'a.example', NOW)).toBeNull();
    }
  });

  it('cannot make us check more than four candidates', async () => {
    const value = await encodeVisitor(ring, VISITOR, 'a.example');
    const header = `${'hb_v=junk; '.repeat(4)}hb_v=${value}`;
    expect(await visitorFromCookies(ring, header, 'a.example', NOW)).toBeNull();
  });

  it('never makes us throw (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (junk) => {
        expect(await visitorFromCookies(ring, `hb_v=${junk}`, 'a.example', NOW)).toBeNull();
        cookieValues(junk, 'hb_v');
      }),
    );
  });
});
