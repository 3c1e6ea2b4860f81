import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test("the list is the own tenant's, newest first, page by page", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  await on.campaign(other.tenant_id);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push(await on.campaign(mine.tenant_id));
  // Two of one microsecond: the id breaks the tie.
  await on.sql("update campaigns set created_at = '2026-10-01T00:00:00.123457Z' where campaign_id = any($1)", [
    ids.slice(0, 2),
  ]);
  const seen: string[] = [];
  let path: string | undefined = '/v1/campaigns?limit=1';
  while (path) {
    const answer = await on.call('GET', path, { token: mine.token });
    seen.push(...answer.json.map((campaign: { campaign_id: string }) => campaign.campaign_id));
    path = /^<https:\/\/[^/]+([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(seen.toSorted()).toEqual(ids.toSorted());
  expect(seen.slice(3)).toEqual(ids.slice(0, 2).toSorted().toReversed());
});

test('the list can be narrowed to a status', async () => {
  const { tenant_id, token } = await on.tenant();
  await on.campaign(tenant_id);
  const paused = await on.campaign(tenant_id, { status: 'paused' });
  const answer = await on.call('GET', '/v1/campaigns?status=paused', { token });
  expect(answer.json).toMatchObject([{ campaign_id: paused, status: 'paused', share_pct: '50.00' }]);
});

test('the list can be searched by name', async () => {
  const { tenant_id, token } = await on.tenant();
  for (const name of ['Holi', 'Onam']) {
    await on.call('POST', '/v1/campaigns', { token, json: { tenant_id, name, share_pct: 50 } });
  }
  expect((await on.call('GET', '/v1/campaigns?q=oLi', { token })).json).toMatchObject([{ name: 'Holi' }]);
});

test('naming another tenant is refused', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  expect((await on.call('GET', `/v1/campaigns?tenant_id=${other.tenant_id}`, { token: mine.token })).status).toBe(403);
});
