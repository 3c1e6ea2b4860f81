import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('a creator reads the tenant of the token, an operator any', async () => {
  const mine = await on.tenant({ trackier_pid: 'p-get' });
  const operator = await on.operator();
  for (const token of [mine.token, operator.token]) {
    const answer = await on.call('GET', `/v1/tenants/${mine.tenant_id}`, { token });
    expect(answer).toMatchObject({ status: 200, json: { tenant_id: mine.tenant_id, trackier_pid: 'p-get' } });
  }
});

test('another tenant and one that does not exist look the same', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const answers = [];
  for (const id of [other.tenant_id, on.uuid()]) {
    const { status, json } = await on.call('GET', `/v1/tenants/${id}`, { token: mine.token });
    answers.push({ status, ...json, request_id: '' });
  }
  expect(answers[0]).toMatchObject({ status: 403 });
  expect(answers[0]).toEqual(answers[1]);
});

test('a token that says operator is worth nothing without the row', async () => {
  const { tenant_id } = await on.tenant();
  const { user_id } = await on.user();
  const token = await on.token({ sub: user_id, role: 'operator' });
  expect((await on.call('GET', `/v1/tenants/${tenant_id}`, { token })).status).toBe(404);
});

test('what is no id names nothing', async () => {
  const { token } = await on.operator();
  expect((await on.call('GET', "/v1/tenants/1'--", { token })).status).toBe(404);
});
