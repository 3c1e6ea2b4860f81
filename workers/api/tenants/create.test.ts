import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('anyone logged in founds a tenant and becomes its owner', async () => {
  const { user_id, token } = await on.user();
  const answer = await on.call('POST', '/v1/tenants', { token, json: { name: '  Asha shares  ' } });
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({
    name: 'Asha shares',
    default_share_pct: '50.00',
    trackier_pid: null,
    custom_domain: null,
    status: 'active',
    created_at: new Date(on.clock.now()).toISOString(),
  });
  const members = await on.sql('select user_id, role from tenant_members where tenant_id = $1', [
    answer.json.tenant_id,
  ]);
  expect(members).toEqual([{ user_id, role: 'owner' }]);
});

test.each([
  [{ name: '' }],
  [{ name: '   ' }],
  [{ name: 'x'.repeat(121) }],
  [{ name: 'line\nbreak' }],
  [{ name: 7 }],
  [{}],
  [{ name: 'ok', trackier_pid: 'p9' }],
])('a tenant needs a plain name and takes nothing else: %j', async (json) => {
  const { token } = await on.user();
  const answer = await on.call('POST', '/v1/tenants', { token, json });
  expect(answer).toMatchObject({ status: 422, json: { code: 'invalid_field' } });
});
