import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openDatabase } from '../../packages/shared/db/client.ts';
import { lockPayees, writeSettlement } from '../../packages/shared/db/queries/payee-accounts.ts';
import { claimReleasable, loadReleasable, writeRelease } from '../../packages/shared/db/queries/release.ts';
import { release } from '../../packages/shared/domain/release.ts';
import { rewardsOf } from '../../packages/shared/domain/settlement.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { stage } from './stage.fake.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());

it('a reward is paid once an amendment leaves nothing of it to be paid (money rule 12)', async () => {
  const on = await stage(database, { coolOffDays: 0 });
  const user = await on.newUser();
  const click = await on.storedClick(await on.newVisitor(user));
  const say = (payout: string) => on.event(click, { txn_id: 'A1', _id: 'n1', payout }, 'poll');
  await on.take(say('200'));
  const payout = openDatabase({ connectionString: database.payout });
  const now = on.clock.now();
  await payout.transaction(async (tx) => {
    const ids = await claimReleasable(tx, { until: now, limit: 100, mustBeListed: false });
    const conversions = await loadReleasable(tx, ids, now);
    const rewards = rewardsOf(conversions);
    const nothing = { taken: 0n, given: 0n };
    const states = await lockPayees(
      tx,
      rewards.map((reward) => ({ ...reward, ...nothing })),
      rewards,
    );
    const settlement = release(states, conversions, now);
    await writeRelease(tx, conversions, now);
    await writeSettlement(tx, states, settlement, now);
  });
  await payout.end();
  // 60.00 of the shopper's 100.00 went where an earlier debt was.
  await on.rows(
    `insert into payout_items (led_id, tenant_id, side, event_id, amount) select led_id, tenant_id, 'shopper', 'debt', 60 from ledger where user_id = $1`,
    [user],
  );
  await on.rows(
    `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
     values ('debt', 'shopper:available:' || $1 || ':' || $2, -60, 'INR', $1::uuid, 'settlement', $3), ('debt', 'fee:' || $1, 60, 'INR', $1::uuid, 'settlement', $3)`,
    [on.tenantId, user, new Date(now)],
  );
  await on.rows('update payee_accounts set available = available - 60 where payee = $1', [user]);

  await on.take(say('120'));
  expect(await on.rows('select available from payee_accounts where payee = $1', [user])).toEqual([
    { available: '0.00' },
  ]);
  expect((await on.ledger()).map((row) => row.status)).toEqual(['paid', 'paid']);
  expect(await on.breaches()).toEqual([]);
  await on.end();
});
