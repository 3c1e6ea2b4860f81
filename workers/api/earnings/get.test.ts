import { afterAll, beforeAll, expect, test } from 'vitest';
import { payoutOn } from '../payouts/payouts.fake.ts';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const earnings = (token: string, query = '') => on.call('GET', `/v1/earnings${query}`, { token });

test('a creator sees what was earned, what was paid, and when the next payout is due', async () => {
  const [{ tenant_id, user_id, token }, other] = [await on.tenant(), await on.tenant()];
  expect((await earnings(token)).json).toEqual([]);
  for (const id of [tenant_id, other.tenant_id])
    await on.sql("insert into payee_accounts values ($1, 'creator', $1, 'INR', 499.99, 20.00, 3.00)", [id]);
  await payoutOn(on, { tenant_id, user_id, side: 'creator', status: 'paid', amount: '700.00' });
  await payoutOn(on, { tenant_id, user_id, side: 'creator', status: 'issued', amount: '20.00' });
  await payoutOn(on, { tenant_id, user_id, side: 'shopper', status: 'paid', amount: '60.00' });
  const now = new Date(on.clock.now() + 5.5 * 3_600_000);
  const first = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - 5.5 * 3_600_000;
  const expected = {
    ...{ currency: 'INR', available: '499.99', reserved: '20.00', receivable: '3.00', paid: '700.00' },
    ...{ minimum: '500.00', next_payout_at: new Date(first).toISOString(), waits_for: 'minimum' },
  };
  const answer = await earnings(token, `?tenant_id=${tenant_id}`);
  expect(answer).toMatchObject({ status: 200, json: [expected] });
  await on.sql('update payee_accounts set available = 500 where payee = $1', [tenant_id]);
  expect((await earnings(token)).json).toEqual([{ ...expected, available: '500.00', waits_for: null }]);
  await on.sql("insert into creator_kyc_holds values ($1, 'INR', now())", [tenant_id]);
  expect((await earnings(token)).json).toEqual([
    { ...expected, available: '500.00', next_payout_at: null, waits_for: 'kyc' },
  ]);
});

test("another tenant's are refused, and a shopper has none", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  expect((await earnings(mine.token, `?tenant_id=${other.tenant_id}`)).status).toBe(403);
  expect((await earnings((await on.user()).token)).status).toBe(403);
  expect((await on.call('GET', '/v1/earnings')).status).toBe(401);
});
