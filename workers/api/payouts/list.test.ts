import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';
import { payoutOn } from './payouts.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const ids = (json: { payout_id: string }[]) => json.map(({ payout_id }) => payout_id);

test('an operator finds payouts by status, tenant and person; a code is in no answer', async () => {
  const [shopper, tenant, operator] = [await on.user(), await on.tenant(), await on.operator()];
  const { tenant_id } = tenant;
  const { user_id } = shopper;
  const issued = await payoutOn(on, { tenant_id, user_id, status: 'issued' });
  on.clock.advance(1000);
  const queued = await payoutOn(on, { tenant_id, user_id });
  await payoutOn(on, { tenant_id: (await on.tenant()).tenant_id, user_id: (await on.user()).user_id });
  const find = async (query: string) => on.call('GET', `/v1/payouts?${query}`, { token: operator.token });
  const found = await find(`tenant_id=${tenant_id}`);
  expect(ids(found.json)).toEqual([queued, issued]);
  expect(found.json[1]).toMatchObject({
    status: 'issued',
    amount: '150.00',
    operations: { attempts: 0, gc_id: issued },
  });
  expect(found.text).not.toContain('sealed-code');
  expect(found.text).not.toMatch(/voucher|code":"s/);
  expect(ids((await find(`user_id=${user_id}&status=queued`)).json)).toEqual([queued]);
  expect((await find('status=lost')).status).toBe(422);
});

test('the Link header leads through all of them once', async () => {
  const [{ tenant_id }, { user_id }, { token }] = [await on.tenant(), await on.user(), await on.operator()];
  const made: string[] = [];
  for (let n = 0; n < 5; n++) made.push(await payoutOn(on, { tenant_id, user_id }));
  const seen: string[] = [];
  let path: string | undefined = `/v1/payouts?tenant_id=${tenant_id}&limit=2`;
  while (path) {
    const answer = await on.call('GET', path, { token });
    seen.push(...ids(answer.json));
    path = /^<https:\/\/[^/]+([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(seen.toSorted()).toEqual(made.toSorted());
});

test('a shopper sees the own ones, without what is for operators, and nobody else’s', async () => {
  const [me, other, { tenant_id }] = [await on.user(), await on.user(), await on.tenant()];
  const mine = await payoutOn(on, { tenant_id, user_id: me.user_id, status: 'paid' });
  await payoutOn(on, { tenant_id, user_id: other.user_id });
  const answer = await on.call('GET', '/v1/payouts', { token: me.token });
  expect(ids(answer.json)).toEqual([mine]);
  expect(answer.json[0]).not.toHaveProperty('operations');
  expect((await on.call('GET', `/v1/payouts?user_id=${other.user_id}`, { token: me.token })).status).toBe(403);
});

test('who is no operator any more sees nothing', async () => {
  const { token, user_id } = await on.operator();
  await on.sql('delete from operators where user_id = $1', [user_id]);
  expect((await on.call('GET', '/v1/payouts', { token })).status).toBe(403);
});
