import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareTarget, targetUrl } from '../domain/smart-link.ts';
import { keyOf, type LinkToPublish, smartLink, toPublishedLink } from './publish.ts';
import { parsePublishedLink } from './published-link.ts';

const ROW: LinkToPublish = {
  link_id: '11111111-1111-4111-8111-111111111111',
  tenant_id: '22222222-2222-4222-8222-222222222222',
  host: '_',
  slug: 'diwali',
  version: 3n,
  link_status: 'active',
  campaign_status: 'active',
  tenant_status: 'active',
  offer_status: 'active',
  expires_at: null,
  fallback_url: null,
  sub_ids: {},
  utm: {},
  targets: {},
  tracking_link: 'https://demo.gotrackier.com/click?campaign_id=42&pub_id=1',
  trackier_pid: '7',
};

const parameter = fc.tuple(
  fc.oneof(
    fc.constantFrom('p1', 'P1', 'pub_id', 'PUB_ID', '%70ub_id', 'p1[]', 'campaign_id', 'x'),
    fc.stringMatching(/^[a-z_]{1,8}$/),
  ),
  fc.oneof(fc.webQueryParameters(), fc.stringMatching(/^[\w.~-]{0,12}$/)),
);
const trackingLink = fc
  .tuple(fc.webUrl({ validSchemes: ['http', 'https'], withFragments: true }), fc.array(parameter, { maxLength: 5 }))
  .map(([url, parameters]) => {
    const [base = ''] = url.split('#');
    return `${base}?${parameters.map(([name, value]) => `${name}=${value}`).join('&')}`;
  });
const row = fc.record({
  version: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
  link_status: fc.constantFrom('active', 'paused', 'archived'),
  campaign_status: fc.constantFrom('active', 'paused', 'archived'),
  tenant_status: fc.constantFrom('active', 'suspended'),
  offer_status: fc.constantFrom('active', 'gone'),
  expires_at: fc.option(fc.date({ noInvalidDate: true })),
  fallback_url: fc.option(fc.webUrl()),
  sub_ids: fc.dictionary(fc.constantFrom('p2', 'p3', 'p4', 'p5'), fc.string({ maxLength: 64 })),
  tracking_link: trackingLink,
  trackier_pid: fc.option(fc.stringMatching(/^[\w.&=#%+-]{1,64}$/)),
});

test('whatever is published is what a redirect reads', () => {
  fc.assert(
    fc.property(row, (change) => {
      const link = toPublishedLink({ ...ROW, ...change });
      if (link !== null) expect(parsePublishedLink(JSON.stringify(link))).toEqual(link);
    }),
  );
});

test("the link in KV carries the tenant's publisher id once, in whatever spelling it stood there, and no reference", () => {
  fc.assert(
    fc.property(row, (change) => {
      const link = toPublishedLink({ ...ROW, ...change });
      if (link === null) return;
      const names = [...new URL(link.u).searchParams.keys()].map((name) => name.toLowerCase().replace(/\[.*/, ''));
      expect(names).not.toContain('p1');
      if (change.trackier_pid === null) return;
      expect(names.filter((name) => name === 'pub_id')).toHaveLength(1);
      expect(new URL(link.u).searchParams.get('pub_id')).toBe(change.trackier_pid);
    }),
  );
});

test('the redirect adds the reference, and the visitor cannot change the publisher', () => {
  const link = toPublishedLink(ROW);
  const target = prepareTarget(link?.u ?? '', {});
  expect(targetUrl(target, 'REF', '?pub_id=99&p1=x&coupon=a')).toBe(
    'https://demo.gotrackier.com/click?campaign_id=42&pub_id=7&p1=REF&coupon=a',
  );
});

test('a link leads on only while it, its campaign, its tenant and its offer are active', () => {
  expect(toPublishedLink(ROW)?.s).toBe('active');
  const causes: Partial<LinkToPublish>[] = [
    { link_status: 'paused' },
    { link_status: 'archived' },
    { campaign_status: 'paused' },
    { campaign_status: 'archived' },
    { tenant_status: 'suspended' },
    { offer_status: 'gone' },
  ];
  for (const cause of causes) expect(toPublishedLink({ ...ROW, ...cause })?.s).toBe('paused');
});

test('a tenant without a publisher id keeps the one of the network account', () => {
  expect(toPublishedLink({ ...ROW, trackier_pid: null })?.u).toBe(ROW.tracking_link);
});

test('links for a device carry the publisher id too', () => {
  const ios = 'https://demo.gotrackier.com/click?campaign_id=43&pub_id=1&p1=old';
  const link = toPublishedLink({ ...ROW, targets: { dev: { ios }, geo: { countries: ['IN'] } } });
  expect(link).toMatchObject({
    dev: { ios: 'https://demo.gotrackier.com/click?campaign_id=43&pub_id=7' },
    geo: { countries: ['IN'] },
  });
});

test.each<[string, Partial<LinkToPublish>]>([
  ['a tracking link that is no URL', { tracking_link: 'not a url' }],
  ['a tracking link that is a script', { tracking_link: 'javascript:alert(1)' }],
  ['a version beyond what JSON can count', { version: 2n ** 53n }],
  ['a device link that is a script', { targets: { dev: { ios: 'javascript:alert(1)' } } }],
  ['countries that are no list', { targets: { geo: { countries: 'IN' } } }],
])('of %s nothing is published', (_, change) => {
  expect(toPublishedLink({ ...ROW, ...change })).toBeNull();
});

test('the key and the address of a link are those of its host', () => {
  expect(keyOf(ROW)).toBe('_/diwali');
  expect(smartLink('https://hissaback.app/', ROW)).toBe('https://hissaback.app/diwali');
  const custom = { ...ROW, host: 'go.asha.example' };
  expect(keyOf(custom)).toBe('go.asha.example/diwali');
  expect(smartLink('https://hissaback.app', custom)).toBe('https://go.asha.example/diwali');
});
