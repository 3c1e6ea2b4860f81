import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { claimRewards } from './claim-rewards.ts';
import { expireUnclaimed } from './expire-unclaimed.ts';
import { SETTINGS, stage } from './stage.fake.ts';
import { type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.end();
});

const DAY = 86_400_000;

/** A sale of a visitor's whom nobody knows: 100.00 of commission, a third of it the shopper's. */
async function unclaimed(to: 'creator' | 'platform', visitor: 'visitor' | 'nobody' = 'visitor') {
  on = await stage(database, { share: '33.33' });
  at = worker(database, on);
  at.env.UNCLAIMED_TO = to;
  const visitorId = visitor === 'visitor' ? await on.newVisitor(null) : null;
  const click = await on.storedClick(visitorId);
  await on.take(on.event(click, { txn_id: 'A1', _id: 'a', payout: '100', status: 'approved' }, 'poll'));
  const say = (status: string, payout = '100'): Promise<unknown> =>
    on.take(on.event(click, { txn_id: 'A1', _id: 'a', payout, status }, 'poll'));
  return { visitorId, click, say, expire: () => expireUnclaimed(on.db, at.env, at.deps) };
}
const balances = async () => ({
  shopper: await on.balance('shopper:%'),
  pending: await on.balance('creator:pending:%'),
  creator: await on.balance('creator:available:%'),
  fee: await on.balance('fee:%'),
  network: await on.balance('network:%'),
});

describe('a reward that nobody claims', () => {
  it('expires to the creator after the setting, and not a day before', async () => {
    const { expire } = await unclaimed('creator');
    on.clock.advance(179 * DAY);
    expect(await expire()).toEqual({ expired: 0 });
    on.clock.advance(DAY + 1);
    expect(await expire()).toEqual({ expired: 1 });
    expect(await on.ledger()).toMatchObject([
      { seq: 0, user_amount: '33.33', creator_amount: '66.67', status: 'confirmed', reason: 'expired', user_id: null },
      { seq: 1, user_amount: '-33.33', creator_amount: '33.33', status: 'confirmed', reason: 'expired' },
    ]);
    expect(await balances()).toEqual({
      shopper: '0.00',
      pending: '0.00',
      creator: '100.00',
      fee: '0.00',
      network: '-100.00',
    });
    expect(
      await on.rows(`select distinct kind from journal_entries where tenant_id = $1 and kind <> 'accrual'`, [
        on.tenantId,
      ]),
    ).toEqual([{ kind: 'expiry' }]);
    expect(await expire()).toEqual({ expired: 0 });
  });

  it.each(['visitor', 'nobody'] as const)(
    'of a %s expires to the platform, the creator’s part to the creator',
    async (who) => {
      const { expire } = await unclaimed('platform', who);
      on.clock.advance(181 * DAY);
      await expire();
      expect(await balances()).toEqual({
        shopper: '0.00',
        pending: '0.00',
        creator: '66.67',
        fee: '33.33',
        network: '-100.00',
      });
      expect(
        await on.rows(
          'select net_commission, platform_fee, expired_to from conversion_identities where tenant_id = $1',
          [on.tenantId],
        ),
      ).toEqual([{ net_commission: '66.67', platform_fee: '33.33', expired_to: 'platform' }]);
    },
  );

  it.each([
    ['creator', { creator: '60.00', fee: '0.00' }],
    ['platform', { creator: '40.01', fee: '19.99' }],
  ] as const)(
    'keeps its destination, %s, through a partial reversal, a cancellation and a revival',
    async (to, partly) => {
      const { expire, say } = await unclaimed(to);
      on.clock.advance(181 * DAY);
      await expire();
      await on.rows('select ensure_partitions($1, 0, 1)', [new Date(on.clock.now())]);
      await say('approved', '60');
      expect(await balances()).toMatchObject({ ...partly, network: '-60.00' });
      await say('cancelled');
      expect(await balances()).toEqual({
        shopper: '0.00',
        pending: '0.00',
        creator: '0.00',
        fee: '0.00',
        network: '0.00',
      });
      await say('approved', '60');
      expect(await balances()).toMatchObject({ pending: partly.creator, creator: '0.00', fee: partly.fee });
      expect(await expire()).toEqual({ expired: 1 });
      expect(await balances()).toMatchObject({ ...partly, pending: '0.00', network: '-60.00' });
    },
  );

  it('is nobody’s any more when its visitor logs in afterwards', async () => {
    const { expire, visitorId } = await unclaimed('creator');
    on.clock.advance(181 * DAY);
    await expire();
    const userId = await on.newUser();
    await on.rows('update visitors set user_id = $2, bound_at = now() where visitor_id = $1', [visitorId, userId]);
    const context = { settings: SETTINGS, random: on.random, now: on.clock.now() };
    await on.db.transaction((tx) => claimRewards(tx, { visitorId: visitorId ?? '', userId }, context));
    expect((await on.ledger()).map((row) => row.user_id)).toEqual([null, null]);
    expect((await balances()).creator).toBe('100.00');
  });

  it('is the shopper’s whose visitor has logged in, also while the claim has not been seen to', async () => {
    const { expire, visitorId } = await unclaimed('creator');
    on.clock.advance(181 * DAY);
    const userId = await on.newUser();
    await on.rows('select bind_visitor($1, $2, now())', [visitorId, userId]);
    expect(await expire()).toEqual({ expired: 0 });
    const context = { settings: SETTINGS, random: on.random, now: on.clock.now() };
    expect(await on.db.transaction((tx) => claimRewards(tx, { visitorId: visitorId ?? '', userId }, context))).toBe(1);
    expect(await on.balance(`shopper:pending:%:${userId}`)).toBe('33.33');
  });

  it('goes to one of the two when the visitor logs in at that very moment', async () => {
    for (let round = 0; round < 6; round++) {
      const { expire, visitorId } = await unclaimed('creator');
      on.clock.advance(181 * DAY);
      const userId = await on.newUser();
      const context = { settings: SETTINGS, random: on.random, now: on.clock.now() };
      const login = on.worker();
      const logIn = async (): Promise<number> => {
        await on.rows('select bind_visitor($1, $2, now())', [visitorId, userId]);
        return login.transaction((tx) => claimRewards(tx, { visitorId: visitorId ?? '', userId }, context));
      };
      const [, claimed] = await Promise.all([expire(), logIn()]);
      await login.end();
      expect(await on.balance(`shopper:pending:%:${userId}`)).toBe(claimed === 1 ? '33.33' : '0.00');
      expect((await balances()).creator).toBe(claimed === 1 ? '0.00' : '100.00');
      expect(await on.breaches()).toEqual([]);
      if (round < 5) await on.end();
    }
  });

  it('of the whole share goes down with the sale at the platform too', async () => {
    on = await stage(database, { share: '100.00' });
    at = worker(database, on);
    at.env.UNCLAIMED_TO = 'platform';
    const click = await on.storedClick(await on.newVisitor(null));
    const sale = { txn_id: 'A1', _id: 'a', status: 'approved' };
    await on.take(on.event(click, { ...sale, payout: '100' }, 'poll'));
    on.clock.advance(181 * DAY);
    expect(await expireUnclaimed(on.db, at.env, at.deps)).toEqual({ expired: 1 });
    await on.rows('select ensure_partitions($1, 0, 1)', [new Date(on.clock.now())]);
    await on.take(on.event(click, { ...sale, payout: '60' }));
    expect(await balances()).toMatchObject({ creator: '0.00', fee: '60.00', network: '-60.00' });
    await on.take(on.event(click, { ...sale, payout: '70' }));
    expect(await balances()).toMatchObject({ creator: '0.00', fee: '60.00', network: '-60.00' });
  });

  it('waits while the network has not approved it, and while it is under review', async () => {
    on = await stage(database);
    at = worker(database, on);
    await on.take(on.event(await on.storedClick(null), { txn_id: 'P1', status: 'pending' }));
    await on.rows(
      `insert into fraud_settings (tenant_id, version, rules, created_at) values ($1, 1, '{"velocity": {"limit": 1}}', now())`,
      [on.tenantId],
    );
    await on.take(on.event(await on.storedClick(await on.newVisitor(null)), { txn_id: 'R1' }));
    on.clock.advance(181 * DAY);
    expect(await expireUnclaimed(on.db, at.env, at.deps)).toEqual({ expired: 0 });
    expect((await on.ledger()).map((row) => row.status)).toEqual(['pending', 'review']);
  });

  it('works off what the creator owes', async () => {
    const { expire } = await unclaimed('creator');
    const other = await on.storedClick(await on.newVisitor(await on.newUser()));
    await on.take(on.event(other, { txn_id: 'B1', _id: 'b', payout: '50' }, 'poll'));
    // Released and paid to the creator long ago, then cancelled: what is left is owed.
    await on.rows(
      `insert into payee_accounts (tenant_id, side, payee, currency, receivable) values ($1, 'creator', $1, 'INR', 30)`,
      [on.tenantId],
    );
    await on.rows(
      `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
       values ('test-' || $1, 'creator:receivable:' || $1 || ':' || $1, -30, 'INR', $1::uuid, 'reversal', now()),
              ('test-' || $1, 'fee:' || $1, 30, 'INR', $1::uuid, 'reversal', now())`,
      [on.tenantId],
    );
    on.clock.advance(181 * DAY);
    await expire();
    expect(await on.balance('creator:available:%')).toBe('70.00');
    expect(await on.balance('creator:receivable:%')).toBe('0.00');
  });

  it('needs settings that are some', async () => {
    const { expire } = await unclaimed('creator');
    at.env.UNCLAIMED_TO = 'charity';
    await expect(expire()).rejects.toThrow('UNCLAIMED_TO must be one of creator, platform');
    at.env.UNCLAIMED_TO = 'creator';
    at.env.UNCLAIMED_DAYS = 'never';
    await expect(expire()).rejects.toThrow('UNCLAIMED_DAYS');
  });
});
