import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('a member changes name and default share', async () => {
  const { tenant_id, token } = await on.tenant();
  const json = { name: 'New name', default_share_pct: 62.5 };
  const answer = await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token, json });
  expect(answer).toMatchObject({ status: 200, json: { name: 'New name', default_share_pct: '62.50' } });
});

test('only an operator sets trackier_pid, and the links then carry it', async () => {
  const { tenant_id, token } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id);
  const offer_id = await on.offer();
  await on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id, slug: 'pid-link' } });
  const change = { trackier_pid: 'pub-77' };
  const refused = await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token, json: change });
  expect(refused).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  const operator = await on.operator();
  const answer = await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token: operator.token, json: change });
  expect(answer).toMatchObject({ status: 200, json: change });
  expect(on.copy('_/pid-link')).toMatchObject({
    v: 2,
    u: 'https://demo.gotrackier.com/click?campaign_id=7&pub_id=pub-77',
  });
});

test('only an operator suspends a tenant: its links rest, and its members change nothing', async () => {
  const { tenant_id, token } = await on.tenant();
  const json = { campaign_id: await on.campaign(tenant_id), offer_id: await on.offer(), slug: 'suspended' };
  await on.call('POST', '/v1/links', { token, json });
  const change = (by: string, status: string) =>
    on.call('PATCH', `/v1/tenants/${tenant_id}`, { token: by, json: { status } });
  expect((await change(token, 'suspended')).status).toBe(403);
  const operator = await on.operator();
  expect(await change(operator.token, 'suspended')).toMatchObject({ status: 200, json: { status: 'suspended' } });
  expect(on.copy('_/suspended')).toMatchObject({ s: 'paused' });
  expect((await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token, json: { name: 'x' } })).status).toBe(403);
  expect((await change(operator.token, 'active')).json.status).toBe('active');
  expect(on.copy('_/suspended')).toMatchObject({ s: 'active' });
  expect((await change(operator.token, 'gone')).status).toBe(422);
});

test('two tenants cannot have one trackier_pid', async () => {
  const { token } = await on.operator();
  await on.tenant({ trackier_pid: 'taken' });
  const { tenant_id } = await on.tenant();
  const answer = await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token, json: { trackier_pid: 'taken' } });
  expect(answer).toMatchObject({ status: 409, json: { code: 'conflict' } });
});

test('money rule 24: who is no member any more changes nothing, whatever the token says', async () => {
  const { tenant_id, user_id, token } = await on.tenant();
  await on.sql('delete from tenant_members where user_id = $1', [user_id]);
  const answer = await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token, json: { name: 'Mine still' } });
  expect(answer.status).toBe(403);
  const former = await on.operator();
  await on.sql('delete from operators where user_id = $1', [former.user_id]);
  expect(
    (await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token: former.token, json: { name: 'x' } })).status,
  ).toBe(403);
});

test('ownership is settled before validation', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const json = { default_share_pct: 900 };
  expect((await on.call('PATCH', `/v1/tenants/${other.tenant_id}`, { token: mine.token, json })).status).toBe(403);
  expect((await on.call('PATCH', `/v1/tenants/${mine.tenant_id}`, { token: mine.token, json })).status).toBe(422);
  expect((await on.call('PATCH', `/v1/tenants/${mine.tenant_id}`, { token: mine.token, json: {} })).status).toBe(422);
});
