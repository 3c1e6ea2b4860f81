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
import { expect, inject, it } from 'vitest';
import { explained, type Touched } from '../../tests/support/explained.ts';
import { createTestDatabase } from '../../tests/support/postgres.ts';
import { takeEvents } from '../webhook/ledger-consumer.ts';
import { type Click, stage as openStage, SETTINGS } from '../webhook/stage.fake.ts';
import type { PayoutDeps } from './deps.ts';
import { seedHistory } from './history.fake.ts';
import { release } from './release.ts';

const DAY = 86_400_000;
const LEASE = 60_000;
const PURCHASE = { endpoint: 'https://agcod.test', region: 'eu-west-1', partnerId: 'Hissa' };
const REFUSED = { to: 'error_hard', error: { code: 'F200', type: 'MaxAmountExceeded' } } as const;

type Step = { name: string; statements: Touched[] };

/** Every movement of released money on both sides, behind a history of so many conversions; what each of its transactions touched. */
async function lifeBehind(conversions: number): Promise<Step[]> {
  const database = await createTestDatabase(inject('postgres'));
  const on = await openStage(database);
  const payoutDb = openDatabase({ connectionString: database.payout });
  const steps: Step[] = [];
  const noted = (db: Database, name: string): Database => ({
    ...db,
    end: () => db.end(),
    transaction: (work, options) =>
      db.transaction(
        (tx) => {
          const statements: Touched[] = [];
          steps.push({ name, statements });
          return work(explained(tx, statements));
        },
        { ...options, retries: 0 },
      ),
  });
  const user = await on.newUser();
  await seedHistory(on.owner, { ...on, user }, { conversions, shopperHas: 40, until: on.clock.now() });
  const visitor = await on.newVisitor(user);
  const shopper: Payee = { tenantId: on.tenantId, side: 'shopper', payee: user, currency: 'INR', userId: user };
  const creator: Payee = { ...shopper, side: 'creator', payee: on.tenantId };

  const take = (name: string, ...events: Parameters<typeof takeEvents>[1]['events'][number][]) =>
    noted(on.db, name).transaction((tx) =>
      takeEvents(tx, { events, ignored: [] }, { settings: SETTINGS, random: on.random, now: on.clock.now() }),
    );
  const say = (name: string, click: Click, order: string, payout: string) =>
    take(name, on.event(click, { txn_id: order, _id: order, payout }, 'poll'));
  const sell = async (order: string): Promise<Click> => {
    const click = await on.storedClick(visitor);
    await on.take(on.event(click, { txn_id: order, _id: order, payout: '200.00' }, 'poll'));
    return click;
  };
  const pay = async (payee: Payee, to: 'paid' | 'sending' | 'queued'): Promise<Payout> => {
    await noted(payoutDb, `reservation, ${payee.side}`).transaction(async (tx) => {
      const amount = await claimAccount(tx, payee);
      if (amount === null || amount === 0n) throw new Error('nothing to pay');
      const payouts = [
        { payoutId: randomUUID(), amount, creationRequestId: mintCreationRequestId('Hissa', on.random) },
      ];
      const items = allocate(await uncoveredShares(tx, payee, amount), payouts);
      await insertReservation(tx, payee, PURCHASE, payouts, items, on.clock.now());
    });
    const claim = { statuses: ['queued'] as const, now: on.clock.now(), leaseMs: LEASE };
    const payout = await payoutDb.transaction((tx) => claimDue(tx, claim));
    if (payout === null) throw new Error('nothing is due');
    if (to === 'queued') return payout;
    await payoutDb.transaction((tx) => beginAttempt(tx, payout, on.clock.now(), LEASE));
    if (to === 'sending') return payout;
    const card = { gcId: payout.payoutId, voucherCode: 'sealed' };
    await payoutDb.transaction((tx) => markIssued(tx, payout, 1, card, on.clock.now(), LEASE));
    await noted(payoutDb, `paid, ${payee.side}`).transaction((tx) => markPaid(tx, payout, on.clock.now()));
    return payout;
  };

  const first = await sell('A');
  const second = await sell('B');
  await sell('C');
  on.clock.advance(31 * DAY);
  await release({
    db: noted(payoutDb, 'release'),
    clock: on.clock,
    settings: { RELEASE_REQUIRES_POLL: 'false' },
  } as unknown as PayoutDeps);
  for (const payee of [shopper, creator]) await pay(payee, 'paid');
  await say('amendment down of what was paid', first, 'A', '150.00');
  await say('amendment up, with a debt', first, 'A', '260.00');
  for (const payee of [shopper, creator]) await pay(payee, 'queued');
  await take(
    'reversal of what was paid, with queued payouts',
    on.event(second, { txn_id: 'B', _id: 'B', status: 'cancelled' }),
  );
  await sell('D');
  on.clock.advance(31 * DAY);
  await release({
    db: noted(payoutDb, 'release, with a debt'),
    clock: on.clock,
    settings: { RELEASE_REQUIRES_POLL: 'false' },
  } as unknown as PayoutDeps);
  for (const payee of [shopper, creator]) {
    const payout = await pay(payee, 'sending');
    await noted(payoutDb, `returned, ${payee.side}`).transaction((tx) =>
      markReturned(tx, payout, 1, REFUSED, on.clock.now()),
    );
  }
  expect((await on.breaches()).filter(({ invariant }) => invariant === 'I10')).toEqual([]);
  await payoutDb.end();
  await on.end();
  await database.drop();
  return steps;
}

function totals(steps: readonly Step[]): Record<string, { pages: number; rows: number }> {
  const of: Record<string, { pages: number; rows: number }> = {};
  for (const { name, statements } of steps) {
    const total = { pages: 0, rows: 0 };
    for (const statement of statements) {
      total.pages += statement.pages;
      total.rows += statement.rows;
    }
    of[name] = total;
  }
  return of;
}

it('what release, reservation, reversal, amendment and settlement read does not grow with what the payees have earned before', async () => {
  const few = totals(await lifeBehind(400));
  const many = totals(await lifeBehind(8_000));
  const grown = Object.entries(many).filter(([name, { pages, rows }]) => {
    const before = few[name];
    return before === undefined || pages > 1.3 * before.pages + 40 || rows > 1.3 * before.rows + 40;
  });
  expect(grown.map(([name, after]) => ({ name, few: few[name], many: after }))).toEqual([]);
}, 120_000);
