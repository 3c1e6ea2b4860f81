import { randomUUID } from 'node:crypto';
import { type Database, openDatabase } from '@hissaback/shared/db/client';
import {
  beginAttempt,
  claimAccount,
  claimDue,
  insertReservation,
  markIssued,
  markPaid,
  markReturned,
  type Payee,
  type Payout,
  uncoveredShares,
} from '@hissaback/shared/db/queries/payouts';
import { allocate, mintCreationRequestId } from '@hissaback/shared/domain/payout-plan';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { type Click, stage as openStage } from '../webhook/stage.fake.ts';
import type { PayoutDeps } from './deps.ts';
import { release } from './release.ts';

const DAY = 86_400_000;
const LEASE = 60_000;
const PURCHASE = { endpoint: 'https://agcod.test', region: 'eu-west-1', partnerId: 'Hissa' };
const REFUSED = { to: 'error_hard', error: { code: 'F200', type: 'MaxAmountExceeded' } } as const;

// The consumer's own amendments and reversals, and the payout worker's own steps, over one database.
let database: TestDatabase;
let on: Awaited<ReturnType<typeof openStage>>;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await openStage(database);
  db = openDatabase({ connectionString: database.payout });
});
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await db.end();
  await on.end();
});

/** A shopper whose rewards of 100.00, and the creator's as much, are released. */
async function released(user: string, order: string): Promise<Click> {
  const click = await on.storedClick(await on.newVisitor(user));
  await on.take(on.event(click, { txn_id: order, sale_amount: '2000.00' }));
  on.clock.advance(31 * DAY);
  await release({ db, clock: on.clock, settings: { RELEASE_REQUIRES_POLL: 'false' } } as unknown as PayoutDeps);
  return click;
}

const say = (click: Click, order: string, words: Record<string, string>, source: 'postback' | 'poll' = 'postback') =>
  on.take(on.event(click, { txn_id: order, ...words }, source));

/** A card over `most` paise of what a payee has, or all of it. */
async function reserved(payee: Payee, most?: bigint): Promise<Payout> {
  await db.transaction(async (tx) => {
    const available = await claimAccount(tx, payee);
    if (available === null) throw new Error('the account is held');
    const amount = most ?? available;
    const payouts = [{ payoutId: randomUUID(), amount, creationRequestId: mintCreationRequestId('Hissa', on.random) }];
    const items = allocate(await uncoveredShares(tx, payee, amount), payouts);
    await insertReservation(tx, payee, PURCHASE, payouts, items, on.clock.now());
  });
  const claim = { statuses: ['queued'] as const, now: on.clock.now(), leaseMs: LEASE };
  const payout = await db.transaction((tx) => claimDue(tx, claim));
  if (payout === null) throw new Error('nothing is due');
  return payout;
}

const sending = (payout: Payout) => db.transaction((tx) => beginAttempt(tx, payout, on.clock.now(), LEASE));
const refuse = (payout: Payout) => db.transaction((tx) => markReturned(tx, payout, 1, REFUSED, on.clock.now()));
const issue = (payout: Payout) =>
  db.transaction((tx) =>
    markIssued(tx, payout, 1, { gcId: randomUUID(), voucherCode: 'sealed' }, on.clock.now(), LEASE),
  );
const account = async (payee: string) =>
  (await on.rows('select available, reserved, receivable from payee_accounts where payee = $1', [payee]))[0];
const shopper = (user: string): Payee => ({
  ...{ tenantId: on.tenantId, side: 'shopper', payee: user, currency: 'INR', userId: user },
});
const creator = (): Payee => ({
  ...{ tenantId: on.tenantId, side: 'creator', payee: on.tenantId, currency: 'INR', userId: on.creatorId },
});

describe('a payout whose reward is amended while it is sending, and that is refused then', () => {
  it('what another reward stood in for is that reward’s again', async () => {
    const user = await on.newUser();
    const first = await released(user, 'A');
    const payout = await reserved(shopper(user));
    await sending(payout);
    await released(user, 'B');
    await say(first, 'A', { sale_amount: '1000.00' });
    expect(await account(user)).toEqual({ available: '50.00', reserved: '100.00', receivable: '0.00' });
    expect(await on.breaches()).toEqual([]);
    expect(await refuse(payout)).toBe(true);
    expect(await account(user)).toEqual({ available: '150.00', reserved: '0.00', receivable: '0.00' });
    expect(await on.breaches()).toEqual([]);
    // All of it can be paid again, by rewards that are worth it.
    await on.rows('update payouts set resolved_at = created_at where payout_id = $1', [payout.payoutId]);
    await sending(await reserved(shopper(user)));
    expect(await account(user)).toEqual({ available: '0.00', reserved: '150.00', receivable: '0.00' });
  });

  it('what became a receivable is worked off first', async () => {
    const user = await on.newUser();
    const first = await released(user, 'A');
    const payout = await reserved(shopper(user));
    await sending(payout);
    await say(first, 'A', { sale_amount: '400.00' });
    expect(await account(user)).toEqual({ available: '0.00', reserved: '100.00', receivable: '80.00' });
    await refuse(payout);
    expect(await account(user)).toEqual({ available: '20.00', reserved: '0.00', receivable: '0.00' });
  });

  it('the same after a reversal of it', async () => {
    const user = await on.newUser();
    const first = await released(user, 'A');
    const payout = await reserved(shopper(user));
    await sending(payout);
    await released(user, 'B');
    await say(first, 'A', { status: 'cancelled' });
    expect(await account(user)).toEqual({ available: '0.00', reserved: '100.00', receivable: '0.00' });
    expect((await on.ledger()).map(({ status }) => status)).toEqual(['reversed', 'paid']);
    await refuse(payout);
    expect(await account(user)).toEqual({ available: '100.00', reserved: '0.00', receivable: '0.00' });
    // Money rule 12: the other one is owed again.
    expect((await on.ledger()).map(({ status }) => status)).toEqual(['reversed', 'confirmed']);
  });
});

describe('money rule 11 on the creator’s side: a reversal takes what is pending, then available, then a queued payout, and then becomes a receivable', () => {
  it('pending and available money is gone without a trace on the account', async () => {
    const click = await on.storedClick(await on.newVisitor(await on.newUser()));
    await on.take(on.event(click, { txn_id: 'A', sale_amount: '2000.00' }));
    await say(click, 'A', { status: 'cancelled' });
    expect(await on.balance(`creator:pending:%`)).toBe('0.00');
    const second = await released(await on.newUser(), 'B');
    expect(await account(on.tenantId)).toEqual({ available: '100.00', reserved: '0.00', receivable: '0.00' });
    await say(second, 'B', { status: 'cancelled' });
    expect(await account(on.tenantId)).toEqual({ available: '0.00', reserved: '0.00', receivable: '0.00' });
  });

  it('a queued payout is cancelled, and what is left of it can be paid anew; the shopper’s side is the shopper’s (money rule 12)', async () => {
    const [one, two] = [await on.newUser(), await on.newUser()];
    const first = await released(one, 'A');
    await released(two, 'B');
    const payout = await reserved(creator());
    expect(payout.amount).toBe(20_000n);
    await say(first, 'A', { status: 'cancelled' });
    expect(await on.rows('select status from payouts where payout_id = $1', [payout.payoutId])).toEqual([
      { status: 'cancelled' },
    ]);
    expect(await account(on.tenantId)).toEqual({ available: '100.00', reserved: '0.00', receivable: '0.00' });
    expect(await account(two)).toEqual({ available: '100.00', reserved: '0.00', receivable: '0.00' });
    const again = await reserved(creator());
    await sending(again);
    await issue(again);
    expect((await on.ledger()).map(({ status }) => status)).toEqual(['reversed', 'confirmed']);
  });
});

describe('a paid reward that is amended down and raised again (money rule 12)', () => {
  it('leaves `paid` what is fully paid, and what stood in for it is owed again', async () => {
    const user = await on.newUser();
    const first = await released(user, 'A');
    await released(user, 'B');
    const payout = await reserved(shopper(user), 199_00n);
    await sending(payout);
    await issue(payout);
    expect(await db.transaction((tx) => markPaid(tx, payout, on.clock.now()))).toBe(true);
    expect((await on.ledger()).map(({ status }) => status)).toEqual(['paid', 'confirmed']);
    const said = (amount: string) => say(first, 'A', { _id: 'n1', payout: amount }, 'poll');
    await said('194.00');
    expect(await account(user)).toEqual({ available: '0.00', reserved: '0.00', receivable: '2.00' });
    // The last 1.00 of the other one is used up: it is fully paid.
    expect((await on.ledger()).map(({ status }) => status)).toEqual(['paid', 'paid', 'paid']);
    await said('300.00');
    expect(await account(user)).toEqual({ available: '51.00', reserved: '0.00', receivable: '0.00' });
    expect((await on.ledger()).map(({ seq, status }) => `${seq} ${status}`)).toEqual([
      '0 paid',
      '1 paid',
      '2 confirmed',
      '0 confirmed',
    ]);
    expect(await on.breaches()).toEqual([]);
    // All of it is paid by the next card.
    const next = await reserved(shopper(user), 51_00n);
    await sending(next);
    await issue(next);
    expect(await db.transaction((tx) => markPaid(tx, next, on.clock.now()))).toBe(true);
    expect(new Set((await on.ledger()).map(({ status }) => status))).toEqual(new Set(['paid']));
  });
});

describe('receivables on the creator’s side (money rule 11)', () => {
  it('are worked off the next rewards before anything is paid again', async () => {
    const user = await on.newUser();
    const first = await released(user, 'A');
    const payout = await reserved(creator());
    await sending(payout);
    await issue(payout);
    await say(first, 'A', { status: 'cancelled' });
    expect(await account(on.tenantId)).toEqual({ available: '0.00', reserved: '0.00', receivable: '100.00' });
    await released(user, 'B');
    expect(await account(on.tenantId)).toEqual({ available: '0.00', reserved: '0.00', receivable: '0.00' });
    await released(user, 'C');
    expect(await account(on.tenantId)).toEqual({ available: '100.00', reserved: '0.00', receivable: '0.00' });
    expect(await on.breaches()).toEqual([]);
    await sending(await reserved(creator()));
    expect(await account(on.tenantId)).toEqual({ available: '0.00', reserved: '100.00', receivable: '0.00' });
  });

  it('a paid reward that is reversed is taken from what others brought, which are used up by it', async () => {
    const user = await on.newUser();
    const first = await released(user, 'A');
    const payout = await reserved(creator());
    await sending(payout);
    await issue(payout);
    await released(user, 'B');
    await released(user, 'C');
    await say(first, 'A', { sale_amount: '800.00' });
    expect(await account(on.tenantId)).toEqual({ available: '140.00', reserved: '0.00', receivable: '0.00' });
    expect(await on.breaches()).toEqual([]);
    await say(first, 'A', { status: 'cancelled' });
    expect(await account(on.tenantId)).toEqual({ available: '100.00', reserved: '0.00', receivable: '0.00' });
    expect(await on.breaches()).toEqual([]);
    await sending(await reserved(creator()));
  });
});
