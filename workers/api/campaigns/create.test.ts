import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test.each([
  [50, '50.00'],
  ['33.3', '33.30'],
  ['0', '0.00'],
  [100, '100.00'],
])('a campaign keeps its share exactly: %j', async (share_pct, kept) => {
  const { tenant_id, token } = await on.tenant();
  const answer = await on.call('POST', '/v1/campaigns', { token, json: { tenant_id, name: 'Diwali', share_pct } });
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.json)).toEqual(['campaign_id']);
  const rows = await on.sql('select tenant_id, name, share_pct, status from campaigns where campaign_id = $1', [
    answer.json.campaign_id,
  ]);
  expect(rows).toEqual([{ tenant_id, name: 'Diwali', share_pct: kept, status: 'active' }]);
});

test.each([-1, 100.01, '50.001', 1e-7, '5e1', ' 50', '', null, true])('a share of %j is refused', async (share_pct) => {
  const { tenant_id, token } = await on.tenant();
  const answer = await on.call('POST', '/v1/campaigns', { token, json: { tenant_id, name: 'Diwali', share_pct } });
  expect(answer).toMatchObject({ status: 422, json: { errors: [{ field: 'share_pct' }] } });
});

test('another tenant is refused before anything is validated, and nothing is written', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  for (const tenant_id of [other.tenant_id, other.tenant_id.toUpperCase(), on.uuid()]) {
    const answer = await on.call('POST', '/v1/campaigns', { token: mine.token, json: { tenant_id, share_pct: 'x' } });
    expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  }
  expect(await on.sql('select 1 from campaigns where tenant_id = $1', [other.tenant_id])).toEqual([]);
});

test('money rule 24: membership is asked at the change, not read from the token', async () => {
  const { tenant_id, user_id, token } = await on.tenant();
  const json = { tenant_id, name: 'Diwali', share_pct: 50 };
  await on.sql('delete from tenant_members where user_id = $1', [user_id]);
  expect((await on.call('POST', '/v1/campaigns', { token, json })).status).toBe(403);
});

test('a suspended tenant changes nothing', async () => {
  const { tenant_id, token } = await on.tenant();
  await on.sql("update tenants set status = 'suspended' where tenant_id = $1", [tenant_id]);
  const json = { tenant_id, name: 'Diwali', share_pct: 50 };
  expect((await on.call('POST', '/v1/campaigns', { token, json })).status).toBe(403);
});
