import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test("a creator reads a link of the own tenant; another tenant's is not there", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const campaign_id = await on.campaign(mine.tenant_id);
  const json = { campaign_id, offer_id: await on.offer(), slug: 'readable' };
  const { link_id, smart_link } = (await on.call('POST', '/v1/links', { token: mine.token, json })).json;
  const answer = await on.call('GET', `/v1/links/${link_id}`, { token: mine.token });
  expect(answer).toMatchObject({
    status: 200,
    json: { link_id, smart_link, ...json, status: 'active', expires_at: null, fallback_url: null, published: true },
  });
  for (const id of [link_id, on.uuid()]) {
    expect((await on.call('GET', `/v1/links/${id}`, { token: other.token })).status).toBe(404);
  }
});
