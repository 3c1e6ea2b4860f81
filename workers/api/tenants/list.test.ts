import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('the list holds the tenants one belongs to, newest membership first, and no other', async () => {
  const { user_id, token } = await on.user();
  const [mine, older] = [await on.tenant({ trackier_pid: 'p-list' }), await on.tenant()];
  await on.tenant();
  await on.sql("insert into tenant_members values ($1, $2, 'member', now() + interval '1 hour')", [
    mine.tenant_id,
    user_id,
  ]);
  await on.sql("insert into tenant_members values ($1, $2, 'owner', now())", [older.tenant_id, user_id]);
  const answer = await on.call('GET', '/v1/tenants', { token });
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject([
    { tenant_id: mine.tenant_id, role: 'member', trackier_pid: 'p-list' },
    { tenant_id: older.tenant_id, role: 'owner' },
  ]);
});

test('a shopper without a tenant has an empty list', async () => {
  const { token } = await on.user();
  expect((await on.call('GET', '/v1/tenants', { token })).json).toEqual([]);
});
