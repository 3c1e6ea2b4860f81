import { afterAll, beforeAll, expect, test } from 'vitest';
import { ORIGIN, type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function creatorWithCampaign(columns?: Parameters<Stage['tenant']>[0]) {
  const creator = await on.tenant(columns);
  return { ...creator, campaign_id: await on.campaign(creator.tenant_id), offer_id: await on.offer() };
}

test('a link answers with its smart link, and its copy is in KV when the answer comes', async () => {
  const { token, tenant_id, campaign_id, offer_id } = await creatorWithCampaign({ trackier_pid: 'pub-5' });
  const expires_at = new Date(on.clock.now() + 86_400_000).toISOString();
  const json = {
    campaign_id,
    offer_id: String(offer_id),
    expires_at,
    fallback_url: 'https://shop.example/',
    sub_ids: { p2: 'bio' },
  };
  const answer = await on.call('POST', '/v1/links', { token, json });
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.json)).toEqual(['link_id', 'smart_link']);
  const slug = answer.json.smart_link.slice(ORIGIN.length + 1);
  expect(slug).toMatch(/^[2-9a-km-zA-HJ-NP-Z]{7}$/);
  expect(on.copy(`_/${slug}`)).toEqual({
    v: 1,
    id: answer.json.link_id,
    t: tenant_id,
    u: 'https://demo.gotrackier.com/click?campaign_id=7&pub_id=pub-5',
    s: 'active',
    x: Date.parse(expires_at),
    f: 'https://shop.example/',
    sub: { p2: 'bio' },
  });
  const [row] = await on.sql('select published_version, version from links where link_id = $1', [answer.json.link_id]);
  expect(row).toEqual({ published_version: '1', version: '1' });
});

test("a slug of one's own is taken as it is, once in the world", async () => {
  const [first, second] = [await creatorWithCampaign(), await creatorWithCampaign()];
  const link = (who: typeof first) =>
    on.call('POST', '/v1/links', {
      token: who.token,
      json: { campaign_id: who.campaign_id, offer_id: who.offer_id, slug: 'Diwali-26' },
    });
  expect((await link(first)).json.smart_link).toBe(`${ORIGIN}/Diwali-26`);
  expect(await link(second)).toMatchObject({ status: 409, json: { code: 'conflict' } });
});

test('of ten requests at once for one slug exactly one gets it', async () => {
  const { token, campaign_id, offer_id } = await creatorWithCampaign();
  const json = { campaign_id, offer_id, slug: 'race' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => on.call('POST', '/v1/links', { token, json })));
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, ...Array(9).fill(409)]);
});

test('on a custom domain the slug is its own', async () => {
  const { token, campaign_id, offer_id } = await creatorWithCampaign({ custom_domain: 'go.asha.example' });
  const answer = await on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id, slug: 'hello' } });
  expect(answer.json.smart_link).toBe('https://go.asha.example/hello');
  expect(on.copy('go.asha.example/hello')).toMatchObject({ id: answer.json.link_id });
});

test('UTM, countries and devices are published as a redirect reads them', async () => {
  const { token, campaign_id, offer_id } = await creatorWithCampaign({ trackier_pid: 'pub-6' });
  const targeting = {
    utm: { utm_source: 'youtube', utm_campaign: 'diwali' },
    countries: { only: ['IN', 'AE', 'IN'], else: 'https://shop.example/elsewhere' },
    devices: { ios: 'https://demo.gotrackier.com/click?campaign_id=8&pub_id=1' },
  };
  const answer = await on.call('POST', '/v1/links', {
    token,
    json: { campaign_id, offer_id, slug: 'aims', ...targeting },
  });
  expect(answer.status).toBe(200);
  expect(on.copy('_/aims')).toMatchObject({
    utm: targeting.utm,
    geo: { countries: ['IN', 'AE'], else: 'https://shop.example/elsewhere' },
    dev: { ios: 'https://demo.gotrackier.com/click?campaign_id=8&pub_id=pub-6' },
  });
  const shown = await on.call('GET', `/v1/links/${answer.json.link_id}`, { token });
  expect(shown.json).toMatchObject({
    ...targeting,
    countries: { ...targeting.countries, only: ['IN', 'AE'] },
    domain: null,
  });
});

test('null puts a link on the platform although the tenant has a domain; a domain that is not verified takes none', async () => {
  const { token, campaign_id, offer_id } = await creatorWithCampaign({ custom_domain: 'go.ravi.example' });
  const link = (domain: unknown) =>
    on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id, slug: 'here', domain } });
  expect((await link(null)).json.smart_link).toBe(`${ORIGIN}/here`);
  expect(await link('go.other.example')).toMatchObject({ status: 422, json: { errors: [{ field: 'domain' }] } });
});

test('a put that fails is no error: the link is there, unpublished', async () => {
  const { token, campaign_id, offer_id } = await creatorWithCampaign();
  on.failing.kv = 1;
  const answer = await on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id, slug: 'later' } });
  on.failing.kv = 0;
  expect(answer.status).toBe(200);
  expect(on.copy('_/later')).toBeNull();
  const shown = await on.call('GET', `/v1/links/${answer.json.link_id}`, { token });
  expect(shown.json).toMatchObject({ published: false, status: 'active' });
});

test.each([
  ['v1'],
  ['admin'],
  ['Admin'],
  ['creator'],
  ['c'],
  ['docs'],
  ['widget'],
  ['assets'],
  ['healthz'],
  ['__queues'],
  ['with space'],
  ['a/b'],
  ['ü'],
  [''],
  ['robots.txt'],
  ['x'.repeat(65)],
])('the slug %j is refused', async (slug) => {
  const { token, campaign_id, offer_id } = await creatorWithCampaign();
  const answer = await on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id, slug } });
  expect(answer).toMatchObject({ status: 422, json: { errors: [{ field: 'slug' }] } });
});

test.each([
  [{ offer_id: 0 }, 'offer_id'],
  [{ offer_id: 2_147_483_648 }, 'offer_id'],
  [{ offer_id: 999_999_999 }, 'offer_id'],
  [{ expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  [{ expires_at: 'tomorrow' }, 'expires_at'],
  [{ fallback_url: 'javascript:alert(1)' }, 'fallback_url'],
  [{ fallback_url: 'https://user:pw@shop.example/' }, 'fallback_url'],
  [{ sub_ids: { p1: 'mine' } }, 'sub_ids.p1'],
  [{ sub_ids: { p2: '' } }, 'sub_ids.p2'],
  [{ host: 'elsewhere.example' }, 'host'],
  [{ utm: { utm_other: 'x' } }, 'utm'],
  [{ utm: { utm_source: 'a\nb' } }, 'utm'],
  [{ countries: { only: [] } }, 'countries'],
  [{ countries: { only: ['India'] } }, 'countries'],
  [{ countries: { only: ['IN'], else: 'javascript:1' } }, 'countries'],
  [{ devices: { ios: 'https://apps.example/' } }, 'devices'],
  [{ devices: { nokia: 'https://demo.gotrackier.com/' } }, 'devices'],
  [{ domain: 'localhost' }, 'domain'],
])('%j is refused, with the field named', async (change, field) => {
  const { token, campaign_id, offer_id } = await creatorWithCampaign();
  const answer = await on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id, ...change } });
  expect(answer.status).toBe(422);
  expect(answer.json.errors[0].field).toContain(field.split('.')[0]);
});

test('an offer that is gone or an archived campaign takes no new links', async () => {
  const { token, tenant_id, campaign_id, offer_id } = await creatorWithCampaign();
  const gone = await on.offer({ status: 'gone' });
  const archived = await on.campaign(tenant_id, { status: 'archived' });
  expect((await on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id: gone } })).status).toBe(422);
  expect((await on.call('POST', '/v1/links', { token, json: { campaign_id: archived, offer_id } })).status).toBe(409);
});

test("another tenant's campaign is not there, whatever else the body holds", async () => {
  const [mine, other] = [await creatorWithCampaign(), await creatorWithCampaign()];
  for (const campaign_id of [other.campaign_id, on.uuid()]) {
    const answer = await on.call('POST', '/v1/links', { token: mine.token, json: { campaign_id, offer_id: 'x' } });
    expect(answer).toMatchObject({ status: 404, json: { code: 'not_found' } });
  }
  const named = await on.call('POST', '/v1/links', {
    token: mine.token,
    json: { ...other, tenant_id: other.tenant_id },
  });
  expect(named.status).toBe(403);
});

test('money rule 24: who is no member any more makes no links', async () => {
  const { token, user_id, campaign_id, offer_id } = await creatorWithCampaign();
  await on.sql('delete from tenant_members where user_id = $1', [user_id]);
  expect((await on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id } })).status).toBe(403);
});
