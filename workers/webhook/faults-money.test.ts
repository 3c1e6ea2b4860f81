import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../packages/shared/db/client.ts';
import { lockPayees, writeSettlement } from '../../packages/shared/db/queries/payee-accounts.ts';
import { claimAccount, insertReservation, uncoveredShares } from '../../packages/shared/db/queries/payouts.ts';
import { claimReleasable, loadReleasable, writeRelease } from '../../packages/shared/db/queries/release.ts';
import type { Database } from '../../packages/shared/db/types.ts';
import { allocate, mintCreationRequestId } from '../../packages/shared/domain/payout-plan.ts';
import { release } from '../../packages/shared/domain/release.ts';
import { rewardsOf } from '../../packages/shared/domain/settlement.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { type Click, stage } from './stage.fake.ts';
import { batchOf, type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
let payout: Database;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await stage(database);
  at = worker(database, on);
  payout = openDatabase({ connectionString: database.payout });
});
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await payout.end();
  await on.end();
});

const DAY = 86_400_000;

/** A shopper whose rewards of 100.00 each are released. */
async function released(rewards: number, order = 'R'): Promise<{ user: string; clicks: Click[] }> {
  const user = await on.newUser();
  const visitor = await on.newVisitor(user);
  const clicks: Click[] = [];
  for (let index = 0; index < rewards; index++) {
    const click = await on.storedClick(visitor);
    clicks.push(click);
    await on.take(on.event(click, { txn_id: `${order}${index}`, sale_amount: '2000.00' }));
  }
  on.clock.advance(31 * DAY);
  await releaseAll();
  return { user, clicks };
}
/** The release of the payout worker, step for step. */
async function releaseAll(): Promise<void> {
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
}
/** Reserves all that a shopper has; the payout's id, or null if there is nothing or somebody holds the account. */
async function reserve(user: string, db = payout): Promise<string | null> {
  const key = { tenantId: on.tenantId, side: 'shopper' as const, payee: user, currency: 'INR', userId: user };
  return db.transaction(async (tx) => {
    const amount = await claimAccount(tx, key);
    if (amount === null || amount === 0n) return null;
    const payoutId = randomUUID();
    const payouts = [{ payoutId, amount, creationRequestId: mintCreationRequestId('Hissa', on.random) }];
    const items = allocate(await uncoveredShares(tx, key, amount), payouts);
    const purchase = { endpoint: 'https://agcod.test', region: 'eu-west-1', partnerId: 'Hissa' };
    await insertReservation(tx, key, purchase, payouts, items, on.clock.now());
    return payoutId;
  });
}
/** The card is bought and its code delivered. */
async function pay(payoutId: string): Promise<void> {
  await on.rows(
    `with p as (update payouts set status = 'sending', card_may_exist = true where payout_id = $1 returning *)
     insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
     select 'p' || payout_id || '.issue', account, amount, currency, tenant_id, 'issue', created_at from (
       select p.payout_id, p.currency, p.tenant_id, p.created_at, 'shopper:reserved:' || p.tenant_id || ':' || p.payee as account, -p.amount as amount from p
       union all select p.payout_id, p.currency, p.tenant_id, p.created_at, 'vouchers:' || p.tenant_id, p.amount from p) x`,
    [payoutId],
  );
  await on.rows(
    `update payee_accounts a set reserved = reserved - p.amount from payouts p where p.payout_id = $1 and a.tenant_id = p.tenant_id and a.payee = p.payee`,
    [payoutId],
  );
  await on.rows(
    `update payouts set status = 'issued', gc_id = left(creation_request_id, 20), voucher_code = 'x' where payout_id = $1`,
    [payoutId],
  );
  await on.rows(`update payouts set status = 'paid', paid_at = status_at, voucher_code = null where payout_id = $1`, [
    payoutId,
  ]);
  await on.rows(
    `update ledger l set status = 'paid' from payout_items i where i.payout_id = $1 and l.led_id = i.led_id and l.status = 'confirmed'`,
    [payoutId],
  );
}
const account = async (user: string) =>
  (await on.rows('select available, reserved, receivable from payee_accounts where payee = $1', [user]))[0];
const cancel = (click: Click, index: number, db = on.db, order = 'R') =>
  on.takeOn(db, on.event(click, { txn_id: `${order}${index}`, status: 'cancelled', sale_amount: '2000.00' }));

describe('fault 12, money rule 11: a reversal after the payout has spent the balance', () => {
  it('is a receivable, which the next rewards work off; nothing is below zero', async () => {
    const { user, clicks } = await released(2);
    const paid = await reserve(user);
    await pay(paid ?? '');
    await cancel(clicks[0] as Click, 0);
    expect(await account(user)).toEqual({ available: '0.00', reserved: '0.00', receivable: '100.00' });
    expect(await on.breaches()).toEqual([]);
    for (const [order, amount] of [
      ['N1', '1200.00'],
      ['N2', '2000.00'],
    ] as const)
      await on.take(on.event(await on.storedClick(await on.newVisitor(user)), { txn_id: order, sale_amount: amount }));
    on.clock.advance(31 * DAY);
    await releaseAll();
    expect(await account(user)).toEqual({ available: '60.00', reserved: '0.00', receivable: '0.00' });
    const [lost, kept] = await on.ledger();
    expect([lost?.status, kept?.status]).toEqual(['reversed', 'paid']);
  });

  it('while the payout is only queued cancels it, and pays the rest anew', async () => {
    const { user, clicks } = await released(3);
    const queued = await reserve(user);
    await cancel(clicks[1] as Click, 1);
    expect(await account(user)).toEqual({ available: '200.00', reserved: '0.00', receivable: '0.00' });
    expect(await on.rows('select status from payouts where payout_id = $1', [queued])).toEqual([
      { status: 'cancelled' },
    ]);
    expect(await reserve(user)).not.toBeNull();
    expect(await account(user)).toEqual({ available: '0.00', reserved: '200.00', receivable: '0.00' });
  });
});

describe('fault 50, money rule 11: payout and reversal race over one balance', () => {
  it('one wins each time: no balance below zero, and the rest a receivable', async () => {
    const ends = new Set<string>();
    const start = on.clock.now();
    for (let round = 0; round < 8; round++) {
      on.clock.set(start + round * DAY);
      const { user, clicks } = await released(2, `R${round}-`);
      const [reserving, first, second] = [
        openDatabase({ connectionString: database.payout }),
        on.worker(),
        on.worker(),
      ];
      const [payoutId] = await Promise.all([
        reserve(user, reserving),
        cancel(clicks[0] as Click, 0, first, `R${round}-`),
        // A card that is already on its way is taken back from nobody.
        round % 2 === 0 ? cancel(clicks[1] as Click, 1, second, `R${round}-`) : undefined,
      ]);
      await Promise.all([reserving.end(), first.end(), second.end()]);
      const after = (await account(user)) as { available: string; reserved: string; receivable: string };
      const worth = Number(after.available) + Number(after.reserved) - Number(after.receivable);
      expect(worth).toBe(round % 2 === 0 ? 0 : 100);
      expect(await on.breaches()).toEqual([]);
      ends.add(payoutId === null ? 'reversal first' : 'payout first');
    }
    expect(ends.size).toBeGreaterThan(0);
  });

  it('and from `sending` on the reversal leaves the payout alone', async () => {
    const { user, clicks } = await released(1);
    const sending = await reserve(user);
    await on.rows(`update payouts set status = 'sending', card_may_exist = true where payout_id = $1`, [sending]);
    await cancel(clicks[0] as Click, 0);
    expect(await account(user)).toEqual({ available: '0.00', reserved: '100.00', receivable: '100.00' });
    expect(await on.rows('select status from payouts where payout_id = $1', [sending])).toEqual([
      { status: 'sending' },
    ]);
  });
});

describe('fault 51: a reward lands while its visitor logs in', () => {
  it('is attached once and never orphaned, and the fraud rules know the shopper', async () => {
    for (let round = 0; round < 8; round++) {
      const visitor = await on.newVisitor(null);
      const user = await on.newUser();
      await on.take(on.event(await on.storedClick(visitor), { txn_id: `E${round}` }));
      const lands = await at.message(on.newClick(visitor), { txn_id: `L${round}` });
      const login = async () => {
        await on.rows('select bind_visitor($1, $2, $3)', [visitor, user, new Date(on.clock.now())]);
        const claim = { kind: 'claim', visitor_id: visitor, user_id: user };
        // Twice, as a queue may.
        for (let copy = 0; copy < 2; copy++)
          await consumePostbacks(batchOf('hissaback-postbacks', [claim]).batch, at.env, at.deps);
      };
      await Promise.all([login(), consumePostbacks(batchOf('hissaback-postbacks', [lands]).batch, at.env, at.deps)]);
      expect(await on.balance(`shopper:pending:%:${user}`)).toBe('100.00');
      expect(await on.balance(`shopper:pending:%:${visitor}`)).toBe('0.00');
    }
  });

  it('and logs in as the creator: both are refused', async () => {
    const visitor = await on.newVisitor(null);
    const lands = await at.message(on.newClick(visitor), { txn_id: 'C1' });
    await on.take(on.event(await on.storedClick(visitor), { txn_id: 'C0' }));
    await Promise.all([
      consumePostbacks(batchOf('hissaback-postbacks', [lands]).batch, at.env, at.deps),
      (async () => {
        await on.rows('select bind_visitor($1, $2, $3)', [visitor, on.creatorId, new Date(on.clock.now())]);
        const claim = { kind: 'claim', visitor_id: visitor, user_id: on.creatorId };
        await consumePostbacks(batchOf('hissaback-postbacks', [claim]).batch, at.env, at.deps);
      })(),
    ]);
    expect((await on.ledger()).map((row) => `${row.status} ${row.reason}`)).toEqual([
      'rejected self_purchase',
      'rejected self_purchase',
    ]);
    expect(await on.balance('%')).toBe('0.00');
  });
});
