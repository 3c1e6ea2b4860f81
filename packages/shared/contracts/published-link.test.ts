import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSlug, type PublishedLink, parsePublishedLink, publishedLinkKey } from './published-link.ts';

const MINIMAL: PublishedLink = {
  v: 1,
  id: '11111111-1111-4111-8111-111111111111',
  t: '22222222-2222-4222-8222-222222222222',
  u: 'https://demo.gotrackier.com/click?campaign_id=42&pub_id=7',
  s: 'active',
};
const FULL: PublishedLink = {
  ...MINIMAL,
  c: '33333333-3333-4333-8333-333333333333',
  s: 'paused',
  x: 1_800_000_000_000,
  f: 'https://shop.example/',
  sub: { p2: 'bio', p5: '' },
  utm: { utm_source: 'hissaback' },
  geo: { countries: ['IN', 'AE'], else: 'https://shop.example/global' },
  dev: { ios: 'https://n.example/i', android: 'https://n.example/a' },
};

describe('a published link', () => {
  it.each([MINIMAL, FULL])('is read back as it was written', (link) => {
    expect(parsePublishedLink(JSON.stringify(link))).toEqual(link);
  });

  it('may have members that this version does not know', () => {
    expect(parsePublishedLink(JSON.stringify({ ...MINIMAL, later: 1, sub: { p1: 'evil', p9: 'x' } }))).toEqual({
      ...MINIMAL,
      sub: {},
    });
  });

  it.each([
    ['u', 'javascript:alert(1)'],
    ['u', '//evil.example'],
    ['u', 'https://user:pass@n.example/'],
    ['u', 'https://n.example/\r\nSet-Cookie: a=b'],
    ['u', 'https:\\\\n.example'],
    ['u', `https://n.example/${'x'.repeat(2_100)}`],
    ['u', undefined],
    ['v', '1'],
    ['v', -1],
    ['v', 1.5],
    ['id', 'x'],
    ['t', null],
    ['c', 7],
    ['s', 'deleted'],
    ['x', 'tomorrow'],
    ['f', 'data:text/html,x'],
    ['sub', { p2: 7 }],
    ['sub', ['x']],
    ['utm', { utm_source: 'x'.repeat(129) }],
    ['geo', { countries: 'IN' }],
    ['geo', { countries: ['in'] }],
    ['geo', { countries: [], else: 'javascript:1' }],
    ['dev', { ios: 'itms-apps://x' }],
    ['dev', null],
  ])('with %s = %j is none', (name, value) => {
    expect(parsePublishedLink(JSON.stringify({ ...MINIMAL, [name]: value }))).toBeNull();
  });

  it('is never a throw on junk (property)', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePublishedLink(text)));
    fc.assert(
      fc.property(
        fc.record({ v: fc.anything(), u: fc.anything(), sub: fc.anything(), geo: fc.anything(), dev: fc.anything() }),
        (junk) => {
          let text: string | undefined;
          try {
            text = JSON.stringify({ ...MINIMAL, ...junk });
          } catch {
            return;
          }
          parsePublishedLink(text);
        },
      ),
    );
  });
});

describe('its key', () => {
  it('is _/slug on platform hosts and host/slug on a custom domain', () => {
    expect(publishedLinkKey(null, 'demo')).toBe('_/demo');
    expect(publishedLinkKey('Deals.Example.:443', 'demo')).toBe('deals.example/demo');
  });

  it('has a slug of letters, digits, - and _', () => {
    for (const slug of ['a', 'A-b_9', 'x'.repeat(64)]) expect(isSlug(slug)).toBe(true);
    for (const slug of ['', 'a/b', 'a.b', 'a%20', 'ü', 'a\n', 'x'.repeat(65)]) expect(isSlug(slug)).toBe(false);
  });
});
