import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalParameter, prepareTarget, targetUrl } from './smart-link.ts';

const TRACKING = 'https://demo.gotrackier.com/click?campaign_id=42&pub_id=7';

describe('a prepared target', () => {
  it('keeps the tracking URL to the letter and appends the reference', () => {
    const target = prepareTarget('https://n.example/c?x=a%20b&y=%7E&flag#part', {});
    expect(targetUrl(target, 'REF', '')).toBe('https://n.example/c?x=a%20b&y=%7E&flag&p1=REF');
  });

  it('works for a tracking URL without parameters', () => {
    expect(targetUrl(prepareTarget('https://n.example', {}), 'REF', '')).toBe('https://n.example/?p1=REF');
  });

  it('replaces a p1 of the tracking URL, in any spelling', () => {
    const target = prepareTarget('https://n.example/c?P1={click_id}&a=1&%70%31=2&p1[]=3', {});
    expect(targetUrl(target, 'REF', '')).toBe('https://n.example/c?a=1&p1=REF');
  });

  it("carries the link's own parameters, which win over the tracking URL's", () => {
    const target = prepareTarget(`${TRACKING}&p2=old`, { p2: 'bio & more', utm_source: 'hissaback', p1: 'evil' });
    const { searchParams } = new URL(targetUrl(target, 'REF', '?p2=evil&utm_source=evil&utm_medium=mail'));
    expect([...searchParams]).toEqual([
      ['campaign_id', '42'],
      ['pub_id', '7'],
      ['p2', 'bio & more'],
      ['utm_source', 'hissaback'],
      ['p1', 'REF'],
      ['utm_medium', 'mail'],
    ]);
  });
});

describe("a visitor's parameters", () => {
  const target = prepareTarget(TRACKING, {});

  it('are passed through in order, repeated ones too', () => {
    expect(targetUrl(target, 'REF', '?b=2&a=1&a=3&utm_source=x')).toBe(`${TRACKING}&p1=REF&b=2&a=1&a=3&utm_source=x`);
  });

  it('are at most 50', () => {
    const query = Array.from({ length: 80 }, (_, n) => `k${n}=v`).join('&');
    expect([...new URL(targetUrl(target, 'REF', query)).searchParams]).toHaveLength(53);
  });

  it('are at most 2,000 characters, whole parameters only', () => {
    const query = `a=${'x'.repeat(1_500)}&b=${'y'.repeat(1_500)}`;
    const { searchParams } = new URL(targetUrl(target, 'REF', query));
    expect(searchParams.get('a')).toHaveLength(1_500);
    expect(searchParams.has('b')).toBe(false);
  });

  it('never change where the shopper goes or who is paid, nor exceed 8 KB (property)', () => {
    const names = fc.constantFrom('p1', 'P2', 'pub_id', 'campaign_id', 'url', 'hb_ref', 'k', 'p1[]', ' p1', '%70%31');
    const pairs = fc.array(fc.tuple(fc.oneof(names, fc.string({ unit: 'binary' })), fc.string({ unit: 'binary' })));
    const anything = fc.oneof(
      pairs.map((list) => new URLSearchParams(list).toString()),
      fc.string({ unit: 'binary', maxLength: 5_000 }),
    );
    fc.assert(
      fc.property(anything, (query) => {
        const href = targetUrl(target, 'REF', query);
        const url = new URL(href);
        expect(href.startsWith(`${TRACKING}&p1=REF`)).toBe(true);
        expect(href.length).toBeLessThan(8_192);
        expect(url.hash).toBe('');
        const names = [...url.searchParams.keys()].slice(3).map(canonicalParameter);
        expect(names.filter((name) => /^(p\d+|pub_id|campaign_id|url|hb_.*)$/.test(name))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

it("stays below 8 KB with the longest tracking URL, own parameters and visitor's parameters at once", () => {
  const own = Object.fromEntries(
    ['p2', 'p3', 'p4', 'p5', 'utm_source', 'utm_id'].map((name) => [name, '语'.repeat(128)]),
  );
  const target = prepareTarget(`https://n.example/c?a=${'x'.repeat(2_020)}`, own);
  expect(targetUrl(target, 'R'.repeat(76), `q=${'x'.repeat(1_990)}`).length).toBeLessThan(8_192);
});

it.each([
  ['p1', 'p1'],
  ['P1', 'p1'],
  ['p1[]', 'p1'],
  ['p1[a][b]', 'p1'],
  ['[p1]', 'p1'],
  ['%2570%2531', 'p1'],
  ['\u200bp1', 'p1'],
  ['ｐ１', 'p1'],
  ['p1\0x', 'p1'],
  ['\0p1', 'p1'],
  ['p\t1', 'p1'],
  ['campaign.id', 'campaign_id'],
  ['campaign id', 'campaign_id'],
  ['colour', 'colour'],
])('the name %j may be taken for %s', (name, canonical) => {
  expect(canonicalParameter(name)).toBe(canonical);
});
