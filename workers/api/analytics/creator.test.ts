import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test("the numbers are the tenant's own, of the period, without what was refused", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const today = new Date(on.clock.now());
  const daysAgo = (days: number) => new Date(on.clock.now() - days * 86_400_000);
  for (const { tenant_id } of [mine, other]) {
    const link_id = await on.link(tenant_id);
    const rollups: [Date, number, number, number][] = [
      [today, 0, 10, 1],
      [today, 3, 5, 1],
      [daysAgo(30), 0, 7, 2],
      [daysAgo(31), 0, 100, 50],
    ];
    for (const [day, shard, clicks, conversions] of rollups) {
      await on.sql(
        'insert into daily_rollups (tenant_id, day, link_id, shard, clicks, conversions) values ($1, $2, $3, $4, $5, $6)',
        [tenant_id, day.toISOString().slice(0, 10), link_id, shard, clicks, conversions],
      );
    }
    await on.reward({
      tenant_id,
      link_id,
      at: today,
      user_amount: '20.01',
      creator_amount: '20.00',
      status: 'pending',
    });
    await on.reward({
      tenant_id,
      link_id,
      at: daysAgo(29),
      user_amount: '1.10',
      creator_amount: '1.20',
      status: 'confirmed',
    });
    await on.reward({
      tenant_id,
      link_id,
      at: today,
      user_amount: '500.00',
      creator_amount: '500.00',
      status: 'rejected',
    });
    await on.reward({
      tenant_id,
      link_id,
      at: today,
      user_amount: '500.00',
      creator_amount: '500.00',
      status: 'reversed',
    });
    await on.reward({
      tenant_id,
      link_id,
      at: daysAgo(32),
      user_amount: '500.00',
      creator_amount: '500.00',
      status: 'confirmed',
    });
    await on.reward({
      tenant_id,
      link_id,
      at: today,
      user_amount: '3.00',
      creator_amount: '4.00',
      status: 'pending',
      currency: 'USD',
    });
  }
  const answer = await on.call('GET', `/v1/analytics/creator?tenant_id=${mine.tenant_id}&period=30d`, {
    token: mine.token,
  });
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({
    clicks: 22,
    conversions: 4,
    earnings: '21.20',
    shared: '21.11',
    currency: 'INR',
    by_currency: [
      { currency: 'INR', earnings: '21.20', shared: '21.11' },
      { currency: 'USD', earnings: '4.00', shared: '3.00' },
    ],
  });
  const dollars = await on.call('GET', '/v1/analytics/creator?period=1d&currency=USD', { token: mine.token });
  expect(dollars.json).toMatchObject({ clicks: 15, conversions: 2, earnings: '4.00', shared: '3.00' });
});

test('a tenant without anything has zeros, not nothing', async () => {
  const { token } = await on.tenant();
  const answer = await on.call('GET', '/v1/analytics/creator', { token });
  expect(answer.json).toEqual({
    clicks: 0,
    conversions: 0,
    earnings: '0.00',
    shared: '0.00',
    currency: 'INR',
    by_currency: [],
  });
});

test('another tenant is refused before the period is looked at', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const answer = await on.call('GET', `/v1/analytics/creator?tenant_id=${other.tenant_id}&period=x`, {
    token: mine.token,
  });
  expect(answer.status).toBe(403);
});

test.each(['period=30', 'period=0d', 'period=367d', 'period=-1d', 'period=', 'currency=inr'])(
  '%s is 422',
  async (query) => {
    const { token } = await on.tenant();
    expect((await on.call('GET', `/v1/analytics/creator?${query}`, { token })).status).toBe(422);
  },
);
