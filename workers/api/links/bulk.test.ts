import { afterAll, beforeAll, expect, test } from 'vitest';
import { ORIGIN, type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function creator() {
  const tenant = await on.tenant();
  return { ...tenant, campaign_id: await on.campaign(tenant.tenant_id), offer_id: await on.offer() };
}

test('each row stands or falls by itself, and what was made is in KV', async () => {
  const { token, tenant_id, campaign_id, offer_id } = await creator();
  const other = await creator();
  const archived = await on.campaign(tenant_id, { status: 'archived' });
  const row = { campaign_id, offer_id };
  const links = [
    { ...row, slug: 'bulk-1' },
    { ...row, slug: 'bulk-1' },
    { ...row, slug: 'v1' },
    { ...row, campaign_id: other.campaign_id },
    { ...row, campaign_id: archived },
    { ...row, offer_id: 999_999_998 },
    'no object',
    { ...row, tenant_id: other.tenant_id },
    row,
  ];
  const answer = await on.call('POST', '/v1/links/bulk', { token, json: { links } });
  expect(answer.status).toBe(200);
  expect(answer.json.map((one: { index: number }) => one.index)).toEqual(links.map((_, index) => index));
  expect(answer.json[0]).toMatchObject({ status: 'created', smart_link: `${ORIGIN}/bulk-1` });
  expect(answer.json.slice(1, 8).map((one: { error: { code: string } }) => one.error.code)).toEqual([
    'conflict',
    'invalid_field',
    'not_found',
    'conflict',
    'invalid_field',
    'invalid_field',
    'invalid_field',
  ]);
  expect(answer.json[2].error.errors).toEqual([{ field: 'slug', message: 'Is reserved' }]);
  expect(answer.json[8]).toMatchObject({ status: 'created' });
  expect(on.copy('_/bulk-1')).toMatchObject({ id: answer.json[0].link_id });
  expect(await on.sql('select 1 from links where tenant_id = $1', [tenant_id])).toHaveLength(2);
});

test('a hundred links with long settings are made at once, none of a hundred and one', async () => {
  const { token, tenant_id, campaign_id, offer_id } = await creator();
  const fallback_url = `https://shop.example/${'x'.repeat(2_000)}`;
  const links = Array.from({ length: 100 }, () => ({ campaign_id, offer_id, fallback_url }));
  const answer = await on.call('POST', '/v1/links/bulk', { token, json: { links } });
  expect(new Set(answer.json.map((one: { link_id: string }) => one.link_id)).size).toBe(100);
  for (const wrong of [[...links, links[0]], [], 'links', null]) {
    expect((await on.call('POST', '/v1/links/bulk', { token, json: { links: wrong } })).status).toBe(422);
  }
  expect(await on.sql('select 1 from links where tenant_id = $1', [tenant_id])).toHaveLength(100);
});

test('another tenant and a former member are refused as a whole', async () => {
  const [mine, other] = [await creator(), await creator()];
  const json = { tenant_id: other.tenant_id, links: [{ campaign_id: other.campaign_id, offer_id: other.offer_id }] };
  expect((await on.call('POST', '/v1/links/bulk', { token: mine.token, json })).status).toBe(403);
  await on.sql('delete from tenant_members where user_id = $1', [mine.user_id]);
  const own = { links: [{ campaign_id: mine.campaign_id, offer_id: mine.offer_id }] };
  expect((await on.call('POST', '/v1/links/bulk', { token: mine.token, json: own })).status).toBe(403);
});
