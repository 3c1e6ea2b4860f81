import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { stage } from './stage.fake.ts';

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

const DAY = 86_400_000;

describe('identity (money rules 1, 2, 5 and 7)', () => {
  it('is one sale each for what the network lists of a click by its own ids, without order ids', async () => {
    on = await stage(database);
    const click = await on.storedClick(null);
    expect(await on.take(on.event(click, { _id: 'n1', payout: '10' }, 'poll'))).toMatchObject({ credited: 1 });
    expect(await on.take(on.event(click, { _id: 'n2', payout: '20' }, 'poll'))).toMatchObject({ credited: 1 });
    expect(await on.take(on.event(click, { _id: 'n1', payout: '10' }, 'poll'))).toMatchObject({ replayed: 1 });
    expect(await on.ledger()).toHaveLength(2);
  });

  it('remembers a goal that it learns, so that another goal of the click is another sale', async () => {
    on = await stage(database);
    const click = await on.storedClick(null);
    await on.take(on.event(click, {}));
    expect(await on.take(on.event(click, { goal_id: 'first' }))).toMatchObject({ updated: 1 });
    expect(await on.take(on.event(click, { goal_id: 'second' }))).toMatchObject({ credited: 1 });
    expect(await on.rows('select goal_id from conversions where tenant_id = $1 order by 1', [on.tenantId])).toEqual([
      { goal_id: 'first' },
      { goal_id: 'second' },
    ]);
  });

  it('keeps two clicks that share an id apart by their references', async () => {
    on = await stage(database);
    const click = await on.storedClick(await on.newVisitor(await on.newUser()));
    const twin = { ...click, visitorId: await on.newVisitor(await on.newUser()) };
    await on.take(on.event(click, {}));
    expect(await on.take(on.event(twin, {}))).toMatchObject({ credited: 1 });
    expect(await on.take(on.event(click, {}), on.event(twin, {}))).toMatchObject({ replayed: 2 });
  });

  it('takes no word on a known sale under the publisher id of another tenant', async () => {
    on = await stage(database);
    const other = await stage(database);
    const click = await on.storedClick(null);
    const say = { txn_id: 'A1', _id: 'n1', payout: '10', publisher_id: `pid-${other.offerId}` };
    await on.take(on.event(click, { txn_id: 'A1' }));
    expect(await on.take(on.event(click, { ...say, status: 'cancelled' }, 'poll'))).toMatchObject({ unmatched: 1 });
    expect(await on.ledger()).toMatchObject([{ status: 'pending' }]);
    await other.end();
  });

  it('asks the order rule of a new sale only: a replay of the first one is a replay, whoever else had the order later', async () => {
    on = await stage(database);
    const first = await on.storedClick(null);
    await on.take(on.event(first, { txn_id: 'A1' }));
    on.clock.advance(31 * DAY);
    await on.take(on.event(await on.storedClick(null), { txn_id: 'A1' }));
    await on.rows(
      `insert into fraud_settings (tenant_id, version, rules, created_at) values ($1, 1, '{"duplicateOrder": {"windowDays": 60}}', $2)`,
      [on.tenantId, new Date(on.clock.now())],
    );
    expect(await on.take(on.event(first, { txn_id: 'A1' }))).toMatchObject({ replayed: 1 });
    expect((await on.ledger()).map((row) => row.status)).toEqual(['pending', 'pending']);
  });

  it('refuses nothing for its order id while the tenant has that rule switched off', async () => {
    on = await stage(database);
    await on.rows(
      `insert into fraud_settings (tenant_id, version, rules, created_at) values ($1, 1, '{"duplicateOrder": {"enabled": false}}', $2)`,
      [on.tenantId, new Date(on.clock.now())],
    );
    const [first, second] = [await on.storedClick(null), await on.storedClick(null)];
    await on.take(on.event(first, { txn_id: 'A1' }));
    await on.take(on.event(second, {}));
    await on.take(on.event(second, { txn_id: 'A1' }), on.event(first, { txn_id: 'A1' }));
    expect((await on.ledger()).map((row) => row.status)).toEqual(['pending', 'pending']);
  });
});

describe('revival (money rule 4)', () => {
  it('brings a reward that was under review back under review', async () => {
    on = await stage(database);
    const visitor = await on.newVisitor(await on.newUser());
    for (const order of ['A1', 'A2', 'A3', 'A4'])
      await on.take(on.event(await on.storedClick(visitor), { txn_id: order }));
    const fifth = await on.storedClick(visitor);
    const say = (status: string) => on.event(fifth, { txn_id: 'A5', _id: 'n5', payout: '100', status }, 'poll');
    await on.take(say('approved'));
    await on.take(say('cancelled'));
    expect(await on.take(say('approved'))).toMatchObject({ updated: 1 });
    expect((await on.ledger()).map((row) => row.status)).toEqual([
      'pending',
      'pending',
      'pending',
      'pending',
      'review',
    ]);
  });
});

it('of two clicks that share an id the first has the row, in one batch as in two (money rule 7)', async () => {
  on = await stage(database);
  const first = on.newClick(await on.newVisitor(null));
  const second = { ...first, visitorId: await on.newVisitor(null) };
  expect(await on.take(on.event(first, { txn_id: 'A1' }), on.event(second, { txn_id: 'B1' }))).toMatchObject({
    credited: 2,
  });
  const rows = await on.rows('select visitor_id from clicks where click_id = $1', [first.clickId]);
  expect(rows).toEqual([{ visitor_id: first.visitorId }]);
});
