import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test("one's own rewards are summed by currency and status over all tenants, beside the balance", async () => {
  const [shopper, other] = [await on.user(), await on.user()];
  for (const { tenant_id } of [await on.tenant(), await on.tenant()]) {
    const link_id = await on.link(tenant_id);
    const reward = (user_id: string, status: string, user_amount: string, currency = 'INR') =>
      on.reward({
        tenant_id,
        link_id,
        user_id,
        at: new Date(on.clock.now()),
        user_amount,
        creator_amount: '1.00',
        status,
        currency,
      });
    await reward(shopper.user_id, 'pending', '10.10');
    await reward(shopper.user_id, 'confirmed', '60.00');
    await reward(shopper.user_id, 'reversed', '5.00');
    await reward(shopper.user_id, 'pending', '2.00', 'USD');
    await reward(other.user_id, 'pending', '500.00');
    await on.sql("insert into payee_accounts values ($1, 'shopper', $2, 'INR', 40.00, 20.00, 0)", [
      tenant_id,
      shopper.user_id,
    ]);
  }
  const zero = { review: '0.00', paid: '0.00', rejected: '0.00' };
  const answer = await on.call('GET', '/v1/rewards/totals', { token: shopper.token });
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual([
    {
      ...{ currency: 'INR', ...zero, pending: '20.20', confirmed: '120.00', reversed: '10.00' },
      ...{ available: '80.00', reserved: '40.00', receivable: '0.00' },
    },
    {
      ...{ currency: 'USD', ...zero, pending: '4.00', confirmed: '0.00', reversed: '0.00' },
      ...{ available: '0.00', reserved: '0.00', receivable: '0.00' },
    },
  ]);
});

test('without rewards there is nothing to sum', async () => {
  const { token } = await on.user();
  expect((await on.call('GET', '/v1/rewards/totals', { token })).json).toEqual([]);
});

test("somebody else's totals are refused", async () => {
  const [me, other] = [await on.user(), await on.user()];
  expect((await on.call('GET', `/v1/rewards/totals?user_id=${other.user_id}`, { token: me.token })).status).toBe(403);
  expect((await on.call('GET', '/v1/rewards/totals?user_id=x', { token: me.token })).status).toBe(422);
});
