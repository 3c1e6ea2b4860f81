import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { claimRewards } from './claim-rewards.ts';
import { SETTINGS, stage } from './stage.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.end();
});

/** The login of a visitor, and what the consumer makes of it. */
async function logIn(visitorId: string, userId: string): Promise<void> {
  const now = on.clock.now();
  await on.rows('update visitors set user_id = $2, bound_at = $3 where visitor_id = $1', [
    visitorId,
    userId,
    new Date(now),
  ]);
  await on.db.transaction((tx) =>
    claimRewards(tx, { visitorId, userId }, { settings: SETTINGS, random: on.random, now }),
  );
}

async function soldTo(visitorId: string) {
  const click = await on.storedClick(visitorId);
  const say = (status: string) => on.event(click, { txn_id: 'A1', _id: 'n1', payout: '100', status }, 'poll');
  await on.take(say('approved'));
  return say;
}

describe('a claim reruns the fraud rules (money rule 8)', () => {
  it("takes a creator's own purchase out of the daily figures too", async () => {
    on = await stage(database);
    const visitor = await on.newVisitor(null);
    await soldTo(visitor);
    await logIn(visitor, on.creatorId);
    expect(await on.ledger()).toMatchObject([{ status: 'rejected', reason: 'self_purchase' }]);
    expect(
      await on.rows(
        'select sum(conversions) as conversions, sum(net_commission) as net, sum(user_amount) as shopper from daily_rollups where tenant_id = $1',
        [on.tenantId],
      ),
    ).toEqual([{ conversions: '1', net: '0.00', shopper: '0.00' }]);
  });

  it('and what they said holds when the network takes its cancellation back', async () => {
    on = await stage(database);
    const visitor = await on.newVisitor(null);
    const say = await soldTo(visitor);
    await logIn(visitor, on.creatorId);
    await on.take(say('cancelled'));
    await on.take(say('approved'));
    expect(await on.ledger()).toMatchObject([{ status: 'reversed' }]);
    expect(await on.balance('shopper:%')).toBe('0.00');
  });

  it('also for a reward that is reversed at that moment', async () => {
    on = await stage(database);
    const visitor = await on.newVisitor(null);
    const say = await soldTo(visitor);
    await on.take(say('cancelled'));
    await logIn(visitor, on.creatorId);
    await on.take(say('approved'));
    expect(await on.ledger()).toMatchObject([{ status: 'reversed' }]);
  });
});
