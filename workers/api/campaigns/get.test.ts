import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('a creator reads a campaign of the own tenant', async () => {
  const { tenant_id, token } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id);
  const answer = await on.call('GET', `/v1/campaigns/${campaign_id}`, { token });
  expect(answer).toMatchObject({ status: 200, json: { campaign_id, tenant_id, name: 'Diwali', status: 'active' } });
});

test("another tenant's campaign is not there", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const campaign_id = await on.campaign(other.tenant_id);
  for (const id of [campaign_id, on.uuid(), 'x']) {
    expect((await on.call('GET', `/v1/campaigns/${id}`, { token: mine.token })).status).toBe(404);
  }
});
