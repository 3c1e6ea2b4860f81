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

test('naming another tenant is refused', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  expect((await on.call('GET', `/v1/links?tenant_id=${other.tenant_id}`, { token: mine.token })).status).toBe(403);
});
