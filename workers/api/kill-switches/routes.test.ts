import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
let operator: { user_id: string; token: string };
beforeAll(async () => {
  on = await stage();
  operator = await on.operator();
});
afterAll(() => on.close());

const throwIt = (json: unknown, token = operator.token) => on.call('POST', '/v1/kill-switches', { token, json });
const clear = (id: string) =>
  on.call('POST', `/v1/kill-switches/${id}/clear`, { token: operator.token, json: { reason: 'it is over' } });

async function creator() {
  const tenant = await on.tenant();
  const campaign_id = await on.campaign(tenant.tenant_id);
  const offer_id = await on.offer();
  const link = () => on.call('POST', '/v1/links', { token: tenant.token, json: { campaign_id, offer_id } });
  return { ...tenant, link };
}

test('new links stop for all, with a problem that says so, and go on when the switch is cleared', async () => {
  const { link } = await creator();
  const thrown = await throwIt({ scope: 'links', reason: 'a bad merchant' });
  expect(thrown).toMatchObject({ status: 200, json: { scope: 'links', tenant_id: null, cleared_at: null } });
  expect(await link()).toMatchObject({ status: 503, json: { code: 'unavailable' } });
  expect((await clear(thrown.json.switch_id)).json.cleared_by).toBe(operator.user_id);
  expect((await link()).status).toBe(200);
});

test('for one tenant it stops that one only; a switch for payouts stops no links', async () => {
  const [one, two] = [await creator(), await creator()];
  const { json } = await throwIt({ scope: 'links', tenant_id: one.tenant_id, reason: 'fraud' });
  await throwIt({ scope: 'payouts', tenant_id: two.tenant_id, reason: 'fraud' });
  expect((await one.link()).status).toBe(503);
  expect((await two.link()).status).toBe(200);
  await clear(json.switch_id);
});

test('thrown and cleared are audited with their reasons; a switch that is thrown is not thrown again', async () => {
  const { tenant_id } = await on.tenant();
  const [first, second] = await Promise.all([
    throwIt({ scope: 'payouts', tenant_id, reason: 'one' }),
    throwIt({ scope: 'payouts', tenant_id, reason: 'two' }),
  ]);
  expect(first.json.switch_id).toBe(second.json.switch_id);
  await clear(first.json.switch_id);
  expect((await clear(first.json.switch_id)).status).toBe(404);
  const log = await on.sql(
    'select actor, action, reason from audit_log where subject = $1 order by created_at, action desc',
    [`kill_switch:${first.json.switch_id}`],
  );
  expect(log).toEqual([
    { actor: `user:${operator.user_id}`, action: 'kill_switch.thrown', reason: first.json.reason },
    { actor: `user:${operator.user_id}`, action: 'kill_switch.cleared', reason: 'it is over' },
  ]);
});

test('operators list them, those thrown first; nobody else may anything', async () => {
  const old = await throwIt({ scope: 'links', reason: 'it was something' });
  await clear(old.json.switch_id);
  await throwIt({ scope: 'payouts', reason: 'everything' });
  const listed = await on.call('GET', '/v1/kill-switches', { token: operator.token });
  const cleared: boolean[] = listed.json.map((row: { cleared_at: string | null }) => row.cleared_at !== null);
  expect(cleared).toEqual(cleared.toSorted());
  expect(cleared).toContain(true);
  expect(listed.json).toContainEqual(
    expect.objectContaining({ scope: 'payouts', tenant_id: null, reason: 'everything', cleared_at: null }),
  );
  const { token } = await on.tenant();
  expect((await on.call('GET', '/v1/kill-switches', { token })).status).toBe(403);
  expect((await throwIt({ scope: 'links', reason: 'mine' }, token)).status).toBe(403);
});

test('a reason is asked for, and a tenant there is', async () => {
  expect((await throwIt({ scope: 'links' })).status).toBe(422);
  expect((await throwIt({ scope: 'everything', reason: 'a reason' })).status).toBe(422);
  expect((await throwIt({ scope: 'links', reason: 'a reason', tenant_id: on.uuid() })).status).toBe(422);
});
