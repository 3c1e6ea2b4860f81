import { randomUUID } from 'node:crypto';
import { type Database, openDatabase } from '@hissaback/shared/db/client';
import { audit, INVARIANTS } from '@hissaback/shared/db/queries/audit';
import {
  beginAttempt,
  claimAccount,
  claimDue,
  insertReservation,
  markIssued,
  markPaid,
  uncoveredShares,
} from '@hissaback/shared/db/queries/payouts';
import { allocate, mintCreationRequestId } from '@hissaback/shared/domain/payout-plan';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { stage } from '../webhook/stage.fake.ts';
import type { PayoutDeps } from './deps.ts';
import { release } from './release.ts';

const DAY = 86_400_000;
const PURCHASE = { endpoint: 'https://agcod.test', region: 'eu-west-1', partnerId: 'Hissa' };

// One world with a bit of everything, and a superuser who breaks it behind every trigger's back.
let database: TestDatabase;
let client: pg.Client;
let asPayout: Database;
let names: Record<'tenant' | 'user' | 'link', string>;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  client = new pg.Client({ connectionString: database.owner });
  await client.connect();
  asPayout = openDatabase({ connectionString: database.payout });
  const on = await stage(database);
  const user = await on.newUser();
  const visitor = await on.newVisitor(user);
  const sell = async (order: string, say: Record<string, string> = {}): Promise<void> => {
    await on.take(on.event(await on.storedClick(visitor), { txn_id: order, sale_amount: '2000.00', ...say }));
  };
  await sell('paid');
  await sell('confirmed');
  on.clock.advance(31 * DAY);
  await release({
    db: asPayout,
    clock: on.clock,
    settings: { RELEASE_REQUIRES_POLL: 'false' },
  } as unknown as PayoutDeps);
  const payee = { tenantId: on.tenantId, side: 'shopper' as const, payee: user, currency: 'INR', userId: user };
  for (const [amount, isPaid] of [
    [100_00n, true],
    [40_00n, false],
  ] as const) {
    await asPayout.transaction(async (tx) => {
      await claimAccount(tx, payee);
      const payouts = [
        { payoutId: randomUUID(), amount, creationRequestId: mintCreationRequestId('Hissa', on.random) },
      ];
      await insertReservation(
        tx,
        payee,
        PURCHASE,
        payouts,
        allocate(await uncoveredShares(tx, payee, amount), payouts),
        on.clock.now(),
      );
    });
    if (!isPaid) continue;
    const claim = { statuses: ['queued'] as const, now: on.clock.now(), leaseMs: 60_000 };
    const payout = await asPayout.transaction((tx) => claimDue(tx, claim));
    if (payout === null) throw new Error('nothing is due');
    await asPayout.transaction((tx) => beginAttempt(tx, payout, on.clock.now(), 60_000));
    const card = { gcId: 'card-1', voucherCode: 'sealed' };
    await asPayout.transaction((tx) => markIssued(tx, payout, 1, card, on.clock.now(), 60_000));
    await asPayout.transaction((tx) => markPaid(tx, payout, on.clock.now()));
  }
  await sell('pending');
  await sell('cancelled', { status: 'cancelled' });
  await on.take(on.event(await on.storedClick(visitor), { currency: 'USD' }));
  names = { tenant: on.tenantId, user, link: on.linkId };
  await on.end();
}, 60_000);
afterAll(async () => {
  await asPayout.end();
  await client.end();
  await database.drop();
});

const breaches = () => asPayout.transaction((tx) => audit(tx));
/** What this invariant says after that; all of it is undone again. */
async function broken(invariant: string, sql: string): Promise<number> {
  await client.query('begin');
  try {
    // No trigger and no foreign key is in the way of whoever sets this.
    await client.query(`set local session_replication_role = replica`);
    const text = sql
      .replaceAll('$tenant', names.tenant)
      .replaceAll('$user', names.user)
      .replaceAll('$link', names.link);
    await client.query(text);
    const { rowCount } = await client.query(INVARIANTS.find(({ name }) => name === invariant)?.breaches ?? '');
    return rowCount ?? 0;
  } finally {
    await client.query('rollback');
  }
}
const conv = (order: string): string => `(select conv_id from conversion_identities where txn_id = '${order}')`;

it('the audit finds nothing wrong with books that nobody broke, with the rights of the worker whose cron runs it', async () => {
  expect(await breaches()).toEqual([]);
});

const BROKEN: [string, string, string][] = [
  [
    'I1',
    'a posting is changed',
    `update journal_entries set amount = amount + 0.01 where account like 'fee:%' or ctid = (select min(ctid) from journal_entries where account like 'network:%')`,
  ],
  [
    'I1',
    'a posting is gone',
    `delete from journal_entries where ctid = (select min(ctid) from journal_entries where kind = 'release')`,
  ],
  ['I2', 'a cached balance is changed', `update payee_accounts set available = available + 1 where payee = '$user'`],
  ['I2', 'an account is gone', `delete from payee_accounts where payee = '$tenant'`],
  [
    'I2',
    'a whole event is gone',
    `delete from journal_entries where kind = 'release' and event_id = (select min(event_id) from journal_entries where kind = 'release')`,
  ],
  [
    'I2 pending',
    'an accrual is gone',
    `delete from journal_entries where event_id = 'c' || ${conv('pending')} || '.accrual'`,
  ],
  [
    'I2 network',
    'an accrual is gone',
    `delete from journal_entries where event_id = 'c' || ${conv('pending')} || '.accrual'`,
  ],
  [
    'I2 network',
    'a conversion is posted that nobody knows',
    `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
     values ('c77.accrual', 'network:$tenant', -5, 'INR', '$tenant', 'accrual', now()), ('c77.accrual', 'fee:$tenant', 5, 'INR', '$tenant', 'accrual', now())`,
  ],
  [
    'I2 network',
    'a released reward is reversed by hand',
    `update ledger set status = 'reversed' where conv_id = ${conv('confirmed')}`,
  ],
  ['I2 cards', 'a payout was never issued in the journal', `delete from journal_entries where kind = 'issue'`],
  [
    'I3',
    'more is paid than there was',
    `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
     values ('x', 'shopper:available:$tenant:$user', -1000, 'INR', '$tenant', 'settlement', now()), ('x', 'vouchers:$tenant', 1000, 'INR', '$tenant', 'settlement', now())`,
  ],
  [
    'I4',
    'a second reward of one conversion',
    `alter table ledger drop constraint ledger_conv_id_seq_tenant_id_created_at_key;
     insert into ledger select led_id + 1, tenant_id, created_at, conv_id, seq, user_id, visitor_id, currency, user_pct, user_amount, creator_amount, status, reason,
       release_at, status_at from ledger where conv_id = ${conv('pending')}`,
  ],
  [
    'I4',
    'an amount of the ledger is changed',
    `update ledger set creator_amount = creator_amount + 1 where conv_id = ${conv('paid')}`,
  ],
  ['I4', 'a reward is gone', `delete from ledger where conv_id = ${conv('pending')}`],
  [
    'I4 split',
    'a paisa goes from the creator to the shopper',
    `update ledger set user_amount = user_amount + 0.01, creator_amount = creator_amount - 0.01 where conv_id = ${conv('paid')}`,
  ],
  ['I4 ids', 'an alias is gone', `delete from conversion_aliases where conv_id = ${conv('paid')}`],
  [
    'I4 ids',
    'a conversion says something else than its identity',
    `update conversions set status = 'pending' where conv_id = ${conv('paid')}`,
  ],
  [
    'I4 orders',
    'an order is held by a conversion that does not count',
    `insert into order_keys select network, merchant, 'other', first_seen, ${conv('cancelled')}, tenant_id from order_keys limit 1`,
  ],
  [
    'I5',
    'two payouts have one card',
    `alter table payouts drop constraint payouts_gc_id_key;
     update payouts set gc_id = 'card-1' where status = 'queued'`,
  ],
  [
    'I6',
    'a payout is cancelled and its money stays reserved',
    `update payouts set status = 'cancelled' where status = 'queued'`,
  ],
  [
    'I6 items',
    'a payout pays for more than its amount',
    `update payout_items set amount = amount + 1 where payout_id = (select payout_id from payouts where status = 'queued')`,
  ],
  [
    'I6 items',
    'a cancelled payout keeps its rewards',
    `update payouts set status = 'cancelled' where status = 'queued'`,
  ],
  ['I7', 'a reward says that it is paid', `update ledger set status = 'paid' where conv_id = ${conv('confirmed')}`],
  ['I7 guards', 'a trigger is gone', 'drop trigger journal_entries_are_history on journal_entries'],
  ['I7 guards', 'a trigger is switched off', 'alter table ledger disable trigger ledger_moves_by_its_machine'],
  [
    'I7 guards',
    'a trigger of one partition is switched off',
    `do $$ begin execute 'alter table ' || (select min(inhrelid::regclass::text) from pg_inherits
     where inhparent = 'conversions'::regclass) || ' disable trigger conversions_are_history'; end $$`,
  ],
  ['I7 guards', 'a worker may change the journal', 'grant update on journal_entries to hissaback_ingest'],
  [
    'I7 states',
    'a cancelled sale is credited',
    `update ledger set status = 'pending' where conv_id = ${conv('cancelled')}`,
  ],
  ['I8', 'a conversion whose postback is gone', `delete from postbacks where conv_id = ${conv('paid')}`],
  ['I8', 'an unmatched one whose postback is gone', `delete from postbacks where outcome = 'unmatched'`],
  ['I8', 'a postback that waits nowhere', 'delete from unmatched_conversions'],
  [
    'I10',
    'a reward is used up and may be paid all the same',
    `update payout_items set returned_at = null, amount = 1000
     where payout_id = (select payout_id from payouts where status = 'queued')`,
  ],
  [
    'I10',
    'a creator may be paid what no reward stands for',
    `update payee_accounts set available = available + 1000 where payee = '$tenant'`,
  ],
  [
    'I10',
    'what is open of a reward is not what is kept of it',
    `update reward_cover set open = open + 1 where conv_id = ${conv('confirmed')} and side = 'creator'`,
  ],
  ['I10', 'a reward that is open is not kept as such', `delete from reward_cover where payee = '$tenant'`],
  [
    'clicks',
    'a conversion without its click',
    `delete from clicks where click_id = (select click_id from conversion_identities where txn_id = 'pending')`,
  ],
  [
    'figures',
    'the daily figures are changed',
    `update daily_rollups set net_commission = net_commission + 1 where link_id = '$link' and conversions > 0`,
  ],
];

it.each(BROKEN)('the audit names %s when %s', async (invariant, _, sql) => {
  expect(await broken(invariant, sql)).toBeGreaterThan(0);
});

it('no invariant is without its breach', () => {
  expect(new Set(BROKEN.map(([invariant]) => invariant))).toEqual(new Set(INVARIANTS.map(({ name }) => name)));
});
