import { afterAll, beforeAll, expect, test } from 'vitest';
import { payoutOn } from '../payouts/payouts.fake.ts';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function shopping() {
  const [shopper, tenant] = [await on.user(), await on.tenant()];
  const link_id = await on.link(tenant.tenant_id);
  const reward = (change: Partial<Parameters<Stage['reward']>[0]>) =>
    on.reward({
      tenant_id: tenant.tenant_id,
      link_id,
      user_id: shopper.user_id,
      at: new Date(on.clock.now()),
      user_amount: '40.00',
      creator_amount: '40.00',
      status: 'pending',
      ...change,
    });
  return { ...shopper, tenant_id: tenant.tenant_id, reward };
}

test("the rewards are the shopper's own, newest first, with amount, status and eta", async () => {
  const { token, user_id, reward } = await shopping();
  await (await shopping()).reward({});
  const release_at = new Date(on.clock.now() + 30 * 86_400_000);
  const older = await reward({ at: new Date(on.clock.now() - 1000), status: 'review', release_at });
  const newer = await reward({ release_at, user_amount: '12.34' });
  const answer = await on.call('GET', `/v1/rewards/user?user_id=${user_id}`, { token });
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual([
    {
      led_id: newer,
      amount: '12.34',
      currency: 'INR',
      status: 'pending',
      eta: release_at.toISOString(),
      waits_for: 'cool_off',
      brand: 'Nila',
      created_at: new Date(on.clock.now()).toISOString(),
    },
    expect.objectContaining({ led_id: older, status: 'review', eta: release_at.toISOString() }),
  ]);
  expect((await on.call('GET', '/v1/rewards/user', { token })).json).toEqual(answer.json);
});

test('a confirmed reward is due at the next payout run once the balance reaches the minimum; what is over awaits nothing', async () => {
  const { token, user_id, tenant_id, reward } = await shopping();
  await reward({ status: 'confirmed' });
  await reward({ status: 'rejected' });
  await reward({ status: 'reversed' });
  const etas = async () => {
    const { json } = await on.call('GET', '/v1/rewards/user', { token });
    return Object.fromEntries(json.map((row: { status: string; eta: string | null }) => [row.status, row.eta]));
  };
  expect(await etas()).toEqual({ confirmed: null, rejected: null, reversed: null });
  const account = 'insert into payee_accounts values ($1, $2, $3, $4, $5, $6)';
  await on.sql(account, [tenant_id, 'shopper', user_id, 'INR', '99.99', '500.00']);
  expect((await etas()).confirmed).toBeNull();
  await on.sql('update payee_accounts set available = 100 where payee = $1', [user_id]);
  const next = Math.floor(on.clock.now() / 60_000) * 60_000 + 60_000;
  expect((await etas()).confirmed).toBe(new Date(next).toISOString());
});

test('a confirmed reward in a payout waits for that payout; while a refused one or a kill switch is in the way nobody can say how long', async () => {
  const { token, user_id, tenant_id, reward } = await shopping();
  const led_id = await reward({ status: 'confirmed' });
  const rest = await reward({ status: 'confirmed', at: new Date(on.clock.now() - 1_000) });
  const states = async () => {
    const { json } = await on.call('GET', '/v1/rewards/user', { token });
    const rows = json.map((row: { led_id: string; eta: string | null; waits_for: string | null }) => [
      row.led_id,
      [row.eta, row.waits_for],
    ]);
    return Object.fromEntries(rows);
  };
  const payout_id = await payoutOn(on, { tenant_id, user_id, status: 'issued', amount: '40.00' });
  await on.sql(
    `insert into payout_items (led_id, tenant_id, side, event_id, payout_id, amount) values ($1, $2, 'shopper', 'r', $3, 40)`,
    [led_id, tenant_id, payout_id],
  );
  const due = Math.ceil(on.clock.now() / 60_000) * 60_000 + 600_000;
  await on.sql('update payouts set next_attempt_at = $2 where payout_id = $1', [payout_id, new Date(due)]);
  expect(await states()).toEqual({ [led_id]: [new Date(due).toISOString(), null], [rest]: [null, 'minimum'] });
  await on.sql('update payouts set held_at = $2, held_by = $3 where payout_id = $1', [
    payout_id,
    new Date(),
    (await on.operator()).user_id,
  ]);
  expect((await states())[led_id]).toEqual([null, null]);
  await on.sql('update payouts set held_at = null, held_by = null where payout_id = $1', [payout_id]);
  const refused = await payoutOn(on, { tenant_id, user_id, status: 'error_hard', amount: '40.00' });
  expect((await states())[rest]).toEqual([null, 'review']);
  await on.sql('update payouts set resolved_at = now() where payout_id = $1', [refused]);
  expect((await states())[rest]).toEqual([null, 'minimum']);
  await on.sql(
    `insert into kill_switches (switch_id, scope, tenant_id, reason, thrown_at, thrown_by) values ($1, 'payouts', $2, 'test', now(), $3)`,
    [on.uuid(), tenant_id, user_id],
  );
  expect((await states())[led_id]).toEqual([null, null]);
});

test('the Link header leads through all rewards once, ties included', async () => {
  const { token, reward } = await shopping();
  const at = new Date(on.clock.now());
  const ids = [];
  for (let n = 0; n < 5; n++) ids.push(await reward({ at: n < 3 ? at : new Date(at.getTime() - n) }));
  const seen: string[] = [];
  let path: string | undefined = '/v1/rewards/user?limit=2';
  while (path) {
    const answer = await on.call('GET', path, { token });
    seen.push(...answer.json.map((row: { led_id: string }) => row.led_id));
    path = /^<https:\/\/[^/]+([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(seen.toSorted()).toEqual(ids.toSorted());
});

test('the list is narrowed by status, currency, tenant and time', async () => {
  const { token, tenant_id, reward } = await shopping();
  const day = 86_400_000;
  const old = await reward({ at: new Date(on.clock.now() - 2 * day), status: 'review' });
  const dollars = await reward({ currency: 'USD' });
  const ids = async (query: string) =>
    (await on.call('GET', `/v1/rewards/user?${query}`, { token })).json.map((row: { led_id: string }) => row.led_id);
  expect(await ids('status=review')).toEqual([old]);
  expect(await ids('currency=USD')).toEqual([dollars]);
  expect(await ids(`tenant_id=${tenant_id}`)).toEqual([dollars, old]);
  expect(await ids(`tenant_id=${on.uuid()}`)).toEqual([]);
  expect(await ids(`to=${new Date(on.clock.now() - day).toISOString()}`)).toEqual([old]);
  expect(await ids(`from=${new Date(on.clock.now() - day).toISOString()}`)).toEqual([dollars]);
  expect((await on.call('GET', '/v1/rewards/user?status=gone', { token })).status).toBe(422);
});

test("somebody else's rewards are refused, whoever they are and before anything is validated", async () => {
  const [me, other] = [await shopping(), await shopping()];
  for (const query of [`user_id=${other.user_id}`, `user_id=${other.user_id}&limit=x`, `user_id=${on.uuid()}`]) {
    expect((await on.call('GET', `/v1/rewards/user?${query}`, { token: me.token })).status).toBe(403);
  }
  expect((await on.call('GET', '/v1/rewards/user?user_id=x', { token: me.token })).status).toBe(422);
});

test('a creator sees what they earned as a shopper, not what their tenant shared', async () => {
  const { tenant_id, reward } = await shopping();
  await reward({});
  const [member] = await on.sql<{ user_id: string }>('select user_id from tenant_members where tenant_id = $1', [
    tenant_id,
  ]);
  const token = await on.token({ sub: member?.user_id ?? '', role: 'creator', tenantId: tenant_id });
  expect((await on.call('GET', '/v1/rewards/user', { token })).json).toEqual([]);
});
