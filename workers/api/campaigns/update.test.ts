import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('pausing a campaign pauses its links for shoppers, and resuming brings them back', async () => {
  const { tenant_id, token } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id);
  await on.call('POST', '/v1/links', {
    token,
    json: { campaign_id, offer_id: await on.offer(), slug: 'paused-with-it' },
  });
  for (const [status, state] of [
    ['paused', 'paused'],
    ['active', 'active'],
  ]) {
    const answer = await on.call('PATCH', `/v1/campaigns/${campaign_id}`, { token, json: { status } });
    expect(answer).toMatchObject({ status: 200, json: { status } });
    expect(on.copy('_/paused-with-it')).toMatchObject({ s: state });
  }
});

test('a name changes alone', async () => {
  const { tenant_id, token } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id, { status: 'paused' });
  const answer = await on.call('PATCH', `/v1/campaigns/${campaign_id}`, { token, json: { name: 'Holi' } });
  expect(answer.json).toMatchObject({ name: 'Holi', status: 'paused' });
});

test('an archived campaign stays as it is', async () => {
  const { tenant_id, token } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id, { status: 'archived' });
  const answer = await on.call('PATCH', `/v1/campaigns/${campaign_id}`, { token, json: { status: 'active' } });
  expect(answer).toMatchObject({ status: 409, json: { code: 'conflict' } });
});

test('the share of a campaign cannot be changed, and a change needs a field', async () => {
  const { tenant_id, token } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id);
  for (const json of [{ share_pct: 10 }, {}, { status: 'gone' }]) {
    expect((await on.call('PATCH', `/v1/campaigns/${campaign_id}`, { token, json })).status).toBe(422);
  }
});

test("another tenant's campaign is not there, even for a broken change", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const campaign_id = await on.campaign(other.tenant_id);
  for (const json of [{ status: 'paused' }, { status: 'x' }]) {
    expect((await on.call('PATCH', `/v1/campaigns/${campaign_id}`, { token: mine.token, json })).status).toBe(404);
  }
});

test('money rule 24: who is no member any more pauses nothing', async () => {
  const { tenant_id, user_id, token } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id);
  await on.sql('delete from tenant_members where user_id = $1', [user_id]);
  expect((await on.call('PATCH', `/v1/campaigns/${campaign_id}`, { token, json: { status: 'paused' } })).status).toBe(
    403,
  );
});
