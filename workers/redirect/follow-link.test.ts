import { clickIdTime } from '@hissaback/shared/domain/click-id';
import { encodeClickReference } from '@hissaback/shared/domain/click-reference';
import { encodeVisitor } from '@hissaback/shared/domain/visitor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookieOf, LINK, locationOf, NOW, referenceOf, type Stage, stage } from './stage.fake.ts';

const HOUR = 3_600_000;
const VISITOR = '33333333-3333-4333-8333-333333333333';

async function published(link: Parameters<Stage['publish']>[0] = {}): Promise<Stage> {
  const on = stage();
  await on.publish(link);
  return on;
}

describe('a click', () => {
  it('is a 302 to the tracking link with an authentic reference as p1', async () => {
    const on = await published();
    const answer = await on.follow('/demo');
    expect(answer.status).toBe(302);
    const location = locationOf(answer);
    expect(location.origin + location.pathname).toBe('https://demo.gotrackier.com/click');
    expect(location.searchParams.get('campaign_id')).toBe('42');
    expect(location.searchParams.get('pub_id')).toBe('7');
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true, linkId: LINK.id });
  });

  it('is queued once with the id of its reference, and the id carries its time', async () => {
    const on = await published();
    const answer = await on.follow('/demo', {
      headers: { 'CF-IPCountry': 'IN', Referer: 'https://Blog.Example/private?q=1' },
    });
    const reference = await referenceOf(on, answer);
    if (!reference.ok) throw new Error(reference.reason);
    expect(clickIdTime(reference.clickId)).toBe(NOW);
    expect(on.clicks).toEqual([
      {
        click_id: reference.clickId.toString(),
        link_id: LINK.id,
        tenant_id: LINK.t,
        visitor_id: reference.visitorId,
        country: 'IN',
        device: 'mobile',
        referrer_host: 'blog.example',
        sub_id: null,
        source: 'edge',
      },
    ]);
  });

  it('stores neither address nor user agent', async () => {
    const on = await published();
    await on.follow('/demo', { headers: { 'CF-Connecting-IP': '203.0.113.9', 'User-Agent': 'Distinctive/1.0' } });
    expect(JSON.stringify(on.clicks)).not.toMatch(/203\.0\.113\.9|Distinctive/);
  });

  it('is never stored by a cache and is not indexed', async () => {
    const { headers } = await (await published()).follow('/demo');
    expect(headers.get('Cache-Control')).toBe('private, no-store');
    expect(headers.get('X-Robots-Tag')).toBe('noindex');
    expect(headers.get('Referrer-Policy')).toBe('strict-origin-when-cross-origin');
    expect(headers.get('Strict-Transport-Security')).toBe('max-age=31536000');
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('takes no HSTS over plain http', async () => {
    const answer = await (await published()).follow('/demo', { origin: 'http://localhost:8787' });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('Strict-Transport-Security')).toBeNull();
  });

  it.each(['sub', 'sub_id'])('records the label in ?%s', async (name) => {
    const on = await published();
    await on.follow(`/demo?${name}=insta-bio`);
    expect(on.clicks[0]?.sub_id).toBe('insta-bio');
  });

  it.each(['%00', 'a%0Ab', 'x'.repeat(65), ''])('ignores the unprintable or long label %j', async (label) => {
    const on = await published();
    await on.follow(`/demo?sub=${label}`);
    expect(on.clicks).toMatchObject([{ sub_id: null }]);
  });

  it.each(['XX', 'T1', '', 'india'])('has no country when Cloudflare says %j', async (country) => {
    const on = await published();
    await on.follow('/demo', { headers: { 'CF-IPCountry': country } });
    expect(on.clicks).toMatchObject([{ country: null }]);
  });

  it('counts curl as a person', async () => {
    const on = await published();
    await on.follow('/demo', { headers: { 'User-Agent': 'curl/8.5.0' } });
    expect(on.clicks).toHaveLength(1);
  });
});

describe('what redirects without counting', () => {
  it.each([
    ['HEAD', { method: 'HEAD' }],
    ['a link preview', { headers: { 'User-Agent': 'WhatsApp/2.23.20.0' } }],
    [
      'a crawler',
      { headers: { 'User-Agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' } },
    ],
    ['a prefetch', { headers: { 'Sec-Purpose': 'prefetch' } }],
    ['a prerender', { headers: { 'Sec-Purpose': 'prefetch;prerender' } }],
    ['an old prefetch', { headers: { Purpose: 'prefetch' } }],
    ['a Firefox prefetch', { headers: { 'X-Moz': 'prefetch' } }],
  ])('%s, yet with an authentic reference', async (_name, init) => {
    const on = await published();
    const answer = await on.follow('/demo', init);
    expect(answer.status).toBe(302);
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true, linkId: LINK.id });
    expect(on.clicks).toEqual([]);
  });

  it('HEAD has no body and sets no cookie', async () => {
    const answer = await (await published()).follow('/demo', { method: 'HEAD' });
    expect(await answer.text()).toBe('');
    expect(answer.headers.get('Set-Cookie')).toBeNull();
  });

  it('a preview bot gets no cookie', async () => {
    const on = await published();
    const answer = await on.follow('/demo', { headers: { 'User-Agent': 'TelegramBot (like TwitterBot)' } });
    expect(answer.headers.get('Set-Cookie')).toBeNull();
    expect(await referenceOf(on, answer)).toMatchObject({ visitorId: null });
  });
});

describe('the visitor cookie (money rule 8)', () => {
  it('is set for a new visitor and named in the reference', async () => {
    const on = await published();
    const answer = await on.follow('/demo');
    expect(answer.headers.get('Set-Cookie')).toMatch(
      /^hb_v=[\w-]{44}; Max-Age=34560000; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    const reference = await referenceOf(on, answer);
    expect(reference).toMatchObject({ visitorId: on.clicks[0]?.visitor_id });
    expect(on.clicks[0]?.visitor_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is not Secure over plain http', async () => {
    const answer = await (await published()).follow('/demo', { origin: 'http://localhost:8787' });
    expect(answer.headers.get('Set-Cookie')).not.toContain('Secure');
  });

  it('is recognised and not set again', async () => {
    const on = await published();
    const first = await on.follow('/demo');
    const second = await on.follow('/demo', { headers: { Cookie: `theme=dark; hb_v=${cookieOf(first)}; x` } });
    expect(second.headers.get('Set-Cookie')).toBeNull();
    expect(on.clicks[1]?.visitor_id).toBe(on.clicks[0]?.visitor_id);
    expect(on.clicks[1]?.click_id).not.toBe(on.clicks[0]?.click_id);
  });

  it('is replaced when it was tampered with', async () => {
    const on = await published();
    const value = await encodeVisitor(on.visitors, VISITOR, 'hissaback.test');
    for (let index = 0; index < value.length; index += 4) {
      const forged = value.slice(0, index) + (value[index] === 'A' ? 'B' : 'A') + value.slice(index + 1);
      const answer = await on.follow('/demo', { headers: { Cookie: `hb_v=${forged}` }, method: 'GET' });
      expect(cookieOf(answer)).not.toBeNull();
    }
    expect(on.clicks.some((click) => click.visitor_id === VISITOR)).toBe(false);
  });

  it('of another host is worth nothing', async () => {
    const on = await published();
    const value = await encodeVisitor(on.visitors, VISITOR, 'deals.example');
    const answer = await on.follow('/demo', { headers: { Cookie: `hb_v=${value}` } });
    expect(cookieOf(answer)).not.toBeNull();
    expect(on.clicks[0]?.visitor_id).not.toBe(VISITOR);
  });

  it('planted beside the authentic one does not replace it', async () => {
    const on = await published();
    const value = await encodeVisitor(on.visitors, VISITOR, 'hissaback.test');
    await on.follow('/demo', { headers: { Cookie: `hb_v=planted; hb_v=${value}` } });
    expect(on.clicks[0]?.visitor_id).toBe(VISITOR);
  });

  it('made with a rotated key keeps its visitor and is set again with the current key', async () => {
    const on = await published();
    const value = await encodeVisitor(on.visitors, VISITOR, 'hissaback.test');
    on.env.VISITOR_KEYS = `2:${'C'.repeat(42)}A,${on.env.VISITOR_KEYS}@2026-10-01`;
    const answer = await on.follow('/demo', { headers: { Cookie: `hb_v=${value}` } });
    expect(cookieOf(answer)).toMatch(/^Ag|^A[g-v]/);
    expect(on.clicks[0]?.visitor_id).toBe(VISITOR);
  });

  it('is neither set nor read under Sec-GPC: 1', async () => {
    const on = await published();
    const value = await encodeVisitor(on.visitors, VISITOR, 'hissaback.test');
    const answer = await on.follow('/demo', { headers: { 'Sec-GPC': '1', Cookie: `hb_v=${value}` } });
    expect(answer.headers.get('Set-Cookie')).toBeNull();
    expect(on.clicks).toMatchObject([{ visitor_id: null }]);
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true, visitorId: null });
  });
});

describe('affiliate parameters', () => {
  it("let the visitor's own parameters through", async () => {
    const on = await published();
    const { searchParams } = locationOf(await on.follow('/demo?color=red&size=%C3%BC&empty='));
    expect([searchParams.get('color'), searchParams.get('size'), searchParams.get('empty')]).toEqual(['red', 'ü', '']);
  });

  it.each([
    'p1=evil',
    'P1=evil',
    'p1[]=evil',
    'p1%5B%5D=evil',
    '%70%31=evil',
    '%2570%2531=evil',
    '+p1=evil',
    'p1+=evil',
    '%EF%BD%901=evil',
    'p1%00=evil',
    'p7=evil',
    'campaign_id=evil',
    'Campaign%5FId=evil',
    'campaign.id=evil',
    'pub_id[0]=evil',
    'click_id=evil',
    'url=https://evil',
    'hb_anything=evil',
    'a=1%26p1%3Devil%26',
  ])('cannot be overridden by ?%s', async (query) => {
    const on = await published();
    const answer = await on.follow(`/demo?${query}`);
    const { searchParams } = locationOf(answer);
    expect(searchParams.getAll('campaign_id')).toEqual(['42']);
    expect(searchParams.getAll('pub_id')).toEqual(['7']);
    expect(searchParams.getAll('p1')).toHaveLength(1);
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true });
    if (!query.startsWith('a=')) expect(locationOf(answer).search).not.toContain('evil');
  });

  it('always equal ours, whatever the query string (property)', async () => {
    const on = await published({ sub: { p2: 'bio' }, utm: { utm_source: 'hissaback' } });
    const name = fc.constantFrom(
      'p1',
      'P1',
      'p2',
      'pub_id',
      'PUB_ID',
      'campaign_id',
      'utm_source',
      'p1[]',
      'hb_ref',
      'ok',
      '',
    );
    const piece = fc.oneof(
      name,
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('=', '&', ';', '%', '#', '?', '+', '%26', '%3D', '%70%31'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const answer = await on.request(`/demo?${pieces.join('')}`, { method: 'HEAD' }).answer;
        expect(answer.status).toBe(302);
        const location = locationOf(answer);
        const values = (wanted: string) =>
          [...location.searchParams].filter(([key]) => key.trim().toLowerCase() === wanted).map(([, value]) => value);
        expect(location.origin + location.pathname).toBe('https://demo.gotrackier.com/click');
        expect(location.hash).toBe('');
        expect(values('campaign_id')).toEqual(['42']);
        expect(values('pub_id')).toEqual(['7']);
        expect(values('p2')).toEqual(['bio']);
        expect(values('utm_source')).toEqual(['hissaback']);
        expect(values('p1')).toHaveLength(1);
        expect(await referenceOf(on, answer)).toMatchObject({ ok: true });
        expect(location.href.length).toBeLessThan(8_192);
      }),
      { numRuns: 300 },
    );
  });

  it('stay whole under a query string of 16 KB', async () => {
    const on = await published();
    const answer = await on.follow(
      `/demo?${Array.from({ length: 1_000 }, (_, n) => `k${n}=${'%22'.repeat(4)}`).join('&')}`,
    );
    expect(answer.status).toBe(302);
    expect(locationOf(answer).href.length).toBeLessThan(8_192);
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true });
  });
});

describe("a widget's click (hb_ref)", () => {
  const given = (on: Stage, linkId = LINK.id, age = 0) =>
    encodeClickReference(on.references, {
      clickId: (BigInt(NOW - age - Date.UTC(2024, 0, 1)) << 22n) | 5n,
      linkId,
      visitorId: null,
    });

  it('travels with the reference it was given and is not counted again', async () => {
    const on = await published();
    const reference = await given(on);
    const answer = await on.follow(`/demo?hb_ref=${reference}&color=red`);
    expect(locationOf(answer).searchParams.getAll('p1')).toEqual([reference]);
    expect(locationOf(answer).searchParams.has('hb_ref')).toBe(false);
    expect(locationOf(answer).searchParams.get('color')).toBe('red');
    expect(on.clicks).toEqual([]);
  });

  it.each([
    ['of another link', (on: Stage) => given(on, '99999999-9999-4999-8999-999999999999')],
    ['of the day before yesterday', (on: Stage) => given(on, LINK.id, 48 * HOUR)],
    ['that is forged', async (on: Stage) => `${(await given(on)).slice(0, -1)}_`],
    ['that is junk', async () => 'junk'],
  ])('with a reference %s is an ordinary click', async (_name, make) => {
    const on = await published();
    const reference = await make(on);
    const answer = await on.follow(`/demo?hb_ref=${reference}`);
    expect(locationOf(answer).searchParams.get('p1')).not.toBe(reference);
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true, linkId: LINK.id });
    expect(on.clicks).toHaveLength(1);
  });
});

describe('hosts', () => {
  it("a custom domain serves its tenant's links and only those", async () => {
    const on = await published();
    await on.publish({ id: '44444444-4444-4444-8444-444444444444' }, { slug: 'own', host: 'deals.example' });
    const answer = await on.follow('/own', { origin: 'https://DEALS.example.' });
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true, linkId: '44444444-4444-4444-8444-444444444444' });
    expect((await on.follow('/demo', { origin: 'https://deals.example' })).status).toBe(404);
    expect((await on.follow('/own')).status).toBe(404);
    expect((await on.follow('/own', { origin: 'https://other.example' })).status).toBe(404);
  });

  it('every platform host serves the platform links, whatever the port', async () => {
    const on = await published();
    for (const origin of ['https://hissaback.test', 'http://localhost:8787', 'http://localhost']) {
      expect((await on.follow('/demo', { origin })).status).toBe(302);
    }
  });

  it('a slug that looks like a key cannot reach another prefix', async () => {
    const on = await published();
    expect((await on.follow('/_/demo', { origin: 'https://deals.example' })).status).toBe(404);
    expect((await on.follow('/_%2Fdemo', { origin: 'https://deals.example' })).status).toBe(404);
  });
});

describe('answers that are no redirect', () => {
  it('a host longer than any name, of which KV would not take a key, is a 404', async () => {
    const on = stage();
    for (const length of [250, 600]) {
      const answer = await on.follow('/demo', { origin: `http://${'h'.repeat(length)}.example` });
      expect(answer.status).toBe(404);
    }
  });

  it('an unknown slug is a friendly 404 page', async () => {
    const answer = await stage().follow('/nothing');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
    const html = await answer.text();
    expect(html).toContain('<html lang="en">');
    expect(html).toContain('name="viewport"');
    expect(html).not.toContain('<script');
  });

  it('admits its own style and nothing else', async () => {
    const answer = await stage().follow('/nothing');
    const style = /<style>(.*)<\/style>/s.exec(await answer.text())?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    expect(answer.headers.get('Content-Security-Policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}';`);
  });

  it.each([
    ['paused', { s: 'paused' as const }, 410, 'resting'],
    ['expired', { x: NOW }, 410, 'ended'],
    ['not for this country', { geo: { countries: ['IN'] } }, 403, 'not available'],
  ])('a link that is %s says so and counts nothing', async (_name, link, status, text) => {
    const on = await published(link);
    const answer = await on.follow('/demo', { headers: { 'CF-IPCountry': 'DE' } });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(text);
    expect(on.clicks).toEqual([]);
    expect(answer.headers.get('Set-Cookie')).toBeNull();
  });

  it('is problem details for a client that asks for JSON', async () => {
    const answer = await stage().follow('/nothing', { headers: { Accept: 'application/json' } });
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({
      ...{
        type: 'urn:hissaback:problem:not_found',
        status: 404,
        code: 'not_found',
        request_id: expect.any(String),
      },
    });
  });

  it('is the page for a browser, which accepts both', async () => {
    const answer = await stage().follow('/nothing', { headers: { Accept: 'text/html,application/json;q=0.5' } });
    expect(answer.headers.get('Content-Type')).toContain('text/html');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is 405 and names what is allowed', async (method) => {
    const on = await published();
    const answer = await on.follow('/demo', { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('Allow')).toBe('GET, HEAD');
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(on.clicks).toEqual([]);
  });

  it('a mistake in the configuration is a friendly 503 that names no internals', async () => {
    const on = await published();
    on.env.REFERENCE_KEYS = '1:short';
    const answer = await on.follow('/demo');
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toMatch(/REFERENCE_KEYS|keyring|Error/i);
  });

  it.each([
    '/',
    '/a/b',
    '/demo/',
    '//demo',
    '/a%2Fb',
    '/%',
    '/%zz',
    '/%E0%A4%A',
    `/${'a'.repeat(65)}`,
    '/favicon.ico',
    '/a b',
  ])('the malformed path %s is 404 and costs no read', async (path) => {
    const on = await published();
    expect((await on.follow(path)).status).toBe(404);
    expect(on.reads()).toBe(0);
  });

  it('no path is ever a 5xx (property)', async () => {
    const on = await published();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 80 }), async (path) => {
        const answer = await on.request(`/${path}`, { method: 'HEAD' }).answer;
        expect(answer.status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});

describe('targeting', () => {
  const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148';

  it('an expired link leads to its fallback without reference, cookie or click', async () => {
    const on = await published({ x: NOW, f: 'https://shop.example/sale' });
    const answer = await on.follow('/demo?p1=x');
    expect(answer.headers.get('Location')).toBe('https://shop.example/sale');
    expect(answer.headers.get('Set-Cookie')).toBeNull();
    expect(on.clicks).toEqual([]);
  });

  it('a link is live until the moment it expires', async () => {
    const on = await published({ x: NOW + 1, f: 'https://shop.example/sale' });
    expect(locationOf(await on.follow('/demo')).host).toBe('demo.gotrackier.com');
    on.clock.advance(1);
    expect(locationOf(await on.follow('/demo')).host).toBe('shop.example');
  });

  it('a visitor from elsewhere is sent where the link says, uncounted', async () => {
    const on = await published({ geo: { countries: ['IN'], else: 'https://shop.example/global' } });
    const abroad = await on.follow('/demo', { headers: { 'CF-IPCountry': 'DE' } });
    expect(abroad.headers.get('Location')).toBe('https://shop.example/global');
    expect(on.clicks).toEqual([]);
    await on.follow('/demo', { headers: { 'CF-IPCountry': 'IN' } });
    await on.follow('/demo');
    expect(on.clicks).toHaveLength(2);
  });

  it('a preview bot in another country still sees the offer', async () => {
    const on = await published({ geo: { countries: ['IN'] } });
    const answer = await on.follow('/demo', {
      headers: { 'CF-IPCountry': 'US', 'User-Agent': 'facebookexternalhit/1.1' },
    });
    expect(answer.status).toBe(302);
  });

  it("a device's own tracking URL carries the reference too", async () => {
    const on = await published({ dev: { ios: 'https://demo.gotrackier.com/click?campaign_id=43&pub_id=7' } });
    const answer = await on.follow('/demo', { headers: { 'User-Agent': IPHONE } });
    expect(locationOf(answer).searchParams.get('campaign_id')).toBe('43');
    expect(await referenceOf(on, answer)).toMatchObject({ ok: true, linkId: LINK.id });
    expect(locationOf(await on.follow('/demo')).searchParams.get('campaign_id')).toBe('42');
  });
});
