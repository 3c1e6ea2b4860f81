import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function link(tenant: { tenant_id: string; token: string }, campaign_id: string, slug: string): Promise<string> {
  const offer_id = await on.offer();
  const answer = await on.call('POST', '/v1/links', { token: tenant.token, json: { campaign_id, offer_id, slug } });
  return answer.json.link_id;
}

test("the list is the own tenant's, by campaign if asked, page by page", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const [first, second] = [await on.campaign(mine.tenant_id), await on.campaign(mine.tenant_id)];
  const theirs = await on.campaign(other.tenant_id);
  await link(other, theirs, 'theirs');
  const ids = [await link(mine, first, 'a1'), await link(mine, first, 'a2'), await link(mine, second, 'b1')];
  const page = await on.call('GET', '/v1/links?limit=2', { token: mine.token });
  const next = /^<https:\/\/[^/]+([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  const rest = await on.call('GET', next, { token: mine.token });
  expect(rest.headers.get('link')).toBeNull();
  const seen = [...page.json, ...rest.json].map((row: { link_id: string }) => row.link_id);
  expect(seen.toSorted()).toEqual(ids.toSorted());
  const narrowed = await on.call('GET', `/v1/links?campaign_id=${second}`, { token: mine.token });
  expect(narrowed.json).toMatchObject([{ slug: 'b1', campaign_id: second, published: true, sub_ids: {} }]);
  expect((await on.call('GET', `/v1/links?campaign_id=${theirs}`, { token: mine.token })).json).toEqual([]);
});

test('the list is narrowed by offer, host, status and a part of the slug', async () => {
  const mine = await on.tenant();
  const campaign_id = await on.campaign(mine.tenant_id);
  const diwali = await link(mine, campaign_id, 'Diwali-shoes');
  const holi = await link(mine, campaign_id, 'holi_shoes');
  await on.call('PATCH', `/v1/links/${holi}`, { token: mine.token, json: { status: 'paused' } });
  const [row] = await on.sql<{ offer_id: number }>('select offer_id from links where link_id = $1', [diwali]);
  const ids = async (query: string) =>
    (await on.call('GET', `/v1/links?${query}`, { token: mine.token })).json.map(
      (found: { link_id: string }) => found.link_id,
    );
  expect(await ids('q=DIWALI')).toEqual([diwali]);
  expect(await ids('q=%25')).toEqual([]);
  expect(await ids(`offer_id=${row?.offer_id}`)).toEqual([diwali]);
  expect(await ids('status=paused')).toEqual([holi]);
  expect((await ids('domain=')).toSorted()).toEqual([holi, diwali].toSorted());
  expect(await ids('domain=go.none.example')).toEqual([]);
  expect((await on.call('GET', '/v1/links?q=', { token: mine.token })).status).toBe(422);
});

test('naming another tenant is refused', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  expect((await on.call('GET', `/v1/links?tenant_id=${other.tenant_id}`, { token: mine.token })).status).toBe(403);
});
