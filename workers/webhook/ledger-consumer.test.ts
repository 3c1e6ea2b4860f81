import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { isLockTimeout } from '../../packages/shared/db/errors.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import type { IntakeCounts, Taken } from './intake-batch.ts';
import { takeEvents } from './ledger-consumer.ts';
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

const DAY = 86_400_000;

/** Each event on a connection of its own, all at once; as the queue would, what waits too long for a lock is delivered again. */
function atOnce(on: Awaited<ReturnType<typeof stage>>, events: readonly Taken[]): Promise<IntakeCounts[]> {
  return Promise.all(
    events.map(async (event) => {
      const db = on.worker();
      try {
        for (;;) {
          const counts = await on.takeOn(db, event).catch((error: unknown) => {
            if (!isLockTimeout(error)) throw error;
          });
          if (counts) return counts;
        }
      } finally {
        await db.end();
      }
    }),
  );
}

describe('a sale', () => {
  it('is split by the campaign share and posted as an event that sums to zero', async () => {
    on = await stage(database, { pct: '7.50', share: '33.33' });
    const user = await on.newUser();
    const click = await on.storedClick(await on.newVisitor(user));
    expect(await on.take(on.event(click, { sale_amount: '1234.56', txn_id: 'A1' }))).toMatchObject({ credited: 1 });
    const [row] = await on.ledger();
    // 7.5 % of 1,234.56 is 92.59; the shopper's 33.33 % of it, cut below the paisa, is 30.86 and the creator has the rest.
    expect(row).toMatchObject({ user_amount: '30.86', creator_amount: '61.73', status: 'pending', user_id: user });
    expect(await on.balance('network:%')).toBe('-92.59');
    expect(await on.balance(`shopper:pending:%:${user}`)).toBe('30.86');
    expect(await on.balance('creator:pending:%')).toBe('61.73');
  });

  it("takes the network's payout as the commission when it sent one", async () => {
    on = await stage(database);
    await on.take(on.event(await on.storedClick(null), { payout: '12.345', txn_id: 'A1' }));
    expect(await on.ledger()).toMatchObject([{ user_amount: '6.17', creator_amount: '6.17' }]);
  });

  it('is attributed by its reference although its click never arrived, and the click is made from it', async () => {
    on = await stage(database);
    const visitor = await on.newVisitor(await on.newUser());
    const click = on.newClick(visitor);
    expect(await on.take(on.event(click, { txn_id: 'A1' }))).toMatchObject({ credited: 1 });
    expect(await on.rows('select source, visitor_id from clicks where tenant_id = $1', [on.tenantId])).toEqual([
      { source: 'reference', visitor_id: visitor },
    ]);
  });
});

describe('at-least-once delivery', () => {
  it('takes a postback delivered twice once', async () => {
    on = await stage(database);
    const event = on.event(await on.storedClick(null), { txn_id: 'A1' });
    await on.take(event);
    await on.take(event);
    await on.take(on.event(event.click as never, { txn_id: 'A1' }));
    expect(await on.ledger()).toHaveLength(1);
  });

  it('takes a message once that is delivered twice in one batch', async () => {
    on = await stage(database);
    const event = on.event(await on.storedClick(null), { txn_id: 'A1' });
    expect(await on.take(event, event)).toMatchObject({ credited: 1, replayed: 0 });
    expect(await on.ledger()).toHaveLength(1);
  });
});

describe('a batch', () => {
  it('takes as many statements for a hundred sales as for one: three between BEGIN and COMMIT (money rule 19)', async () => {
    on = await stage(database);
    const statements = async (size: number): Promise<number> => {
      const clicks = await Promise.all(Array.from({ length: size }, () => on.storedClick(randomUUID())));
      const events = clicks.map((click, index) => on.event(click, { txn_id: `B${size}-${index}` }));
      let count = 0;
      await on.db.transaction((tx) => {
        const query: typeof tx.query = (text, params) => {
          count += 1;
          return tx.query(text, params);
        };
        const context = { settings: SETTINGS, random: on.random, now: on.clock.now() };
        return takeEvents({ ...tx, query }, { events, ignored: [] }, context);
      });
      return count;
    };
    expect(await statements(1)).toBe(3);
    expect(await statements(100)).toBe(3);
    expect(await on.ledger()).toHaveLength(101);
  });
});

describe('status (money rule 4, fault 11)', () => {
  const orders = [
    ['pending', 'approved', 'rejected'],
    ['pending', 'rejected', 'approved'],
    ['approved', 'pending', 'rejected'],
    ['approved', 'rejected', 'pending'],
    ['rejected', 'pending', 'approved'],
    ['rejected', 'approved', 'pending'],
  ];
  for (const order of orders)
    for (const together of [true, false])
      it(`ends reversed after ${order.join(', ')}${together ? ' in one batch' : ''}`, async () => {
        on = await stage(database);
        const click = await on.storedClick(await on.newVisitor(await on.newUser()));
        const events = order.map((status) => on.event(click, { status, txn_id: 'A1' }));
        if (together) await on.take(...events);
        else for (const event of events) await on.take(event);
        expect((await on.ledger()).map((row) => row.status)).toEqual(['reversed']);
        expect(await on.balance('shopper:%')).toBe('0.00');
        expect(await on.balance('network:%')).toBe('0.00');
      });

  it('keeps the lowest amount between postbacks, whatever their order (fault 47)', async () => {
    on = await stage(database);
    const click = await on.storedClick(await on.newVisitor(await on.newUser()));
    await on.take(on.event(click, { sale_amount: '500.00', txn_id: 'A1' }));
    await on.take(on.event(click, { sale_amount: '300.00', txn_id: 'A1' }));
    await on.take(on.event(click, { sale_amount: '500.00', txn_id: 'A1' }));
    expect((await on.ledger()).map((row) => row.user_amount)).toEqual(['25.00', '-10.00']);
    expect(await on.balance('shopper:pending:%')).toBe('15.00');
  });

  it('is raised by a later poll only', async () => {
    on = await stage(database);
    const click = await on.storedClick(await on.newVisitor(await on.newUser()));
    await on.take(on.event(click, { status: 'rejected', txn_id: 'A1' }));
    await on.take(on.event(click, { status: 'approved', txn_id: 'A1', _id: 'n1', payout: '80' }, 'poll'));
    expect(await on.balance('shopper:pending:%')).toBe('40.00');
    await on.take(on.event(click, { status: 'cancelled', txn_id: 'A1', _id: 'n1', payout: '80' }, 'poll'));
    expect(await on.balance('shopper:pending:%')).toBe('0.00');
  });
});

describe('identity (money rule 1)', () => {
  it('is one sale for a postback without ids and the later poll with both (fault 46)', async () => {
    on = await stage(database);
    const click = await on.storedClick(null);
    await on.take(on.event(click));
    expect(await on.take(on.event(click, { _id: 'n1', txn_id: 'A1', payout: '100' }, 'poll'))).toMatchObject({
      updated: 1,
    });
    await on.take(on.event(click, { txn_id: 'A1' }));
    expect(await on.ledger()).toHaveLength(1);
    expect(await on.rows('select txn_id, network_id from conversions where tenant_id = $1', [on.tenantId])).toEqual([
      { txn_id: 'A1', network_id: `${on.offerId}-n1` },
    ]);
  });

  it('is two sales for two orders on one click, and ambiguous for an event without ids after them', async () => {
    on = await stage(database);
    const click = await on.storedClick(null);
    await on.take(on.event(click, { txn_id: 'A1' }), on.event(click, { txn_id: 'A2' }));
    expect(await on.take(on.event(click))).toMatchObject({ unmatched: 1 });
    expect(await on.ledger()).toHaveLength(2);
  });

  it('never joins what two ids say of two sales', async () => {
    on = await stage(database);
    const click = await on.storedClick(null);
    await on.take(
      on.event(click, { txn_id: 'A1', _id: 'n1', payout: '10' }, 'poll'),
      on.event(click, { txn_id: 'A2', _id: 'n2', payout: '10' }, 'poll'),
    );
    expect(await on.take(on.event(click, { txn_id: 'A1', _id: 'n2', payout: '10' }, 'poll'))).toMatchObject({
      unmatched: 1,
    });
  });
});

describe('the 30-day order rule (money rule 2, fault 13)', () => {
  it('refuses the same order from another click on day 29, takes it on day 31, and a replay is a replay on any day', async () => {
    on = await stage(database);
    const first = await on.storedClick(await on.newVisitor(await on.newUser()));
    await on.take(on.event(first, { txn_id: 'A1' }));
    on.clock.advance(29 * DAY);
    expect(await on.take(on.event(await on.storedClick(null), { txn_id: 'A1' }))).toMatchObject({ refused: 1 });
    on.clock.advance(2 * DAY);
    expect(await on.take(on.event(first, { txn_id: 'A1' }))).toMatchObject({ replayed: 1 });
    expect(await on.take(on.event(await on.storedClick(null), { txn_id: 'A1' }))).toMatchObject({ credited: 1 });
    expect((await on.ledger()).map((row) => row.status)).toEqual(['pending', 'rejected', 'pending']);
  });

  it('has one winner when consumers race for an order whose window has just ended (fault 14)', async () => {
    on = await stage(database);
    await on.take(on.event(await on.storedClick(null), { txn_id: 'A1' }));
    on.clock.advance(30 * DAY);
    const clicks = await Promise.all(Array.from({ length: 20 }, () => on.storedClick(null)));
    const counts = await atOnce(
      on,
      clicks.map((click) => on.event(click, { txn_id: 'A1' })),
    );
    expect(counts.reduce((sum, count) => sum + count.credited, 0)).toBe(1);
    expect(counts.reduce((sum, count) => sum + count.refused, 0)).toBe(19);
  });

  it('is asked of every sale that holds the id, not only of the youngest', async () => {
    on = await stage(database);
    const sale = async (id: string, day: number, status = 'approved') => {
      const click = await on.storedClick(await on.newVisitor(await on.newUser()));
      const created = new Date(Date.parse('2026-11-02T00:00:00Z') + day * DAY).toISOString();
      const say = (to: string) =>
        on.take(on.event(click, { _id: id, txn_id: 'A1', payout: '100', status: to, created }, 'poll'));
      return { said: await say(status), say };
    };
    const first = await sale('s0', 0);
    await first.say('cancelled');
    expect((await sale('s1', 1)).said).toMatchObject({ credited: 1 });
    expect((await sale('s40', 40)).said).toMatchObject({ credited: 1 });
    // The second holds it still: no word of the network brings the first back, and none of its neighbours is credited.
    await first.say('approved');
    expect((await sale('s12', 12)).said).toMatchObject({ refused: 1 });
    // Older than the youngest by more than a window, and arrives after it: it holds the id as well.
    const late = await sale('s-60', -33);
    expect(late.said).toMatchObject({ credited: 1 });
    expect((await sale('s-50', -20)).said).toMatchObject({ refused: 1 });
    await late.say('cancelled');
    expect((await sale('s-55', -30)).said).toMatchObject({ credited: 1 });
    expect((await on.ledger()).map((row) => row.status).toSorted()).toEqual([
      ...['pending', 'pending', 'pending', 'rejected', 'rejected', 'reversed', 'reversed'],
    ]);
  });

  it('is freed by a reversed holder', async () => {
    on = await stage(database);
    const first = await on.storedClick(null);
    await on.take(on.event(first, { txn_id: 'A1' }));
    await on.take(on.event(first, { txn_id: 'A1', status: 'cancelled' }));
    expect(await on.take(on.event(await on.storedClick(null), { txn_id: 'A1' }))).toMatchObject({ credited: 1 });
  });
});

describe('what cannot be matched is kept (money rule 5)', () => {
  it.each([
    ['unknown_offer', { offer_id: '1' }],
    ['foreign_currency', { currency: 'USD' }],
    ['click_too_old', { _id: 'n9', payout: '5', created: '2027-03-01T00:00:00Z' }],
    ['bad_time', { _id: 'n6', payout: '5', created: '1999-12-31T00:00:00Z' }],
    ['no_amount', { _id: 'n7' }],
  ])('%s', async (reason, say) => {
    on = await stage(database);
    const event = on.event(await on.storedClick(null), say, '_id' in say ? 'poll' : 'postback');
    await on.take(event);
    expect(
      await on.rows('select reason, status from unmatched_conversions where unmatched_id = $1', [event.postbackId]),
    ).toEqual([{ reason, status: 'open' }]);
    expect(await on.ledger()).toEqual([]);
  });

  it('a reference that arrives under the publisher id of another tenant, whether its own has one or not', async () => {
    on = await stage(database);
    const other = await stage(database);
    const say = { _id: 'n8', payout: '5', publisher_id: `pid-${other.offerId}` };
    expect(await on.take(on.event(await on.storedClick(null), say, 'poll'))).toMatchObject({ unmatched: 1 });
    await on.owner.query('update tenants set trackier_pid = null where tenant_id = $1', [on.tenantId]);
    expect(await on.take(on.event(await on.storedClick(null), say, 'poll'))).toMatchObject({ unmatched: 1 });
    const nobodys = { ...say, _id: 'n9', publisher_id: 'nobody-has-this' };
    expect(await on.take(on.event(await on.storedClick(null), nobodys, 'poll'))).toMatchObject({ credited: 1 });
    await other.end();
  });

  it('an offer that is not the link’s', async () => {
    on = await stage(database);
    const other = await stage(database);
    const event = on.event(await on.storedClick(null), { offer_id: String(other.offerId) });
    await on.take(event);
    expect(
      await on.rows('select reason from unmatched_conversions where unmatched_id = $1', [event.postbackId]),
    ).toEqual([{ reason: 'foreign_offer' }]);
    await other.end();
  });

  it('a click older than the attribution window', async () => {
    on = await stage(database);
    const click = on.newClick(null);
    on.clock.advance(91 * DAY);
    expect(await on.take(on.event(click))).toMatchObject({ unmatched: 1 });
  });

  it('a bare click id that arrives before its click, and is matched when asked again', async () => {
    on = await stage(database);
    const click = on.newClick(null);
    const event = on.event({ kind: 'bare', clickId: click.clickId } as never, { txn_id: 'A1' });
    expect(await on.take(event)).toMatchObject({ unmatched: 1 });
    await on.owner.query(
      `insert into clicks (click_id, created_at, tenant_id, link_id, source) values ($1, id_time($1), $2, $3, 'edge')`,
      [click.clickId, on.tenantId, on.linkId],
    );
    expect(await on.take(event)).toMatchObject({ credited: 1 });
    expect(
      await on.rows('select status from unmatched_conversions where unmatched_id = $1', [event.postbackId]),
    ).toEqual([{ status: 'matched' }]);
  });
});

describe('the fraud rules of the spec, section 10', () => {
  it("refuses a creator's own purchase", async () => {
    on = await stage(database);
    expect(await on.take(on.event(await on.storedClick(await on.newVisitor(on.creatorId))))).toMatchObject({
      refused: 1,
    });
    expect(await on.ledger()).toMatchObject([{ status: 'rejected', reason: 'self_purchase' }]);
    expect(await on.balance('%')).toBe('0.00');
  });

  it('sends the fifth conversion of a shopper within 24 hours to review, also when all come at once', async () => {
    on = await stage(database);
    const visitor = await on.newVisitor(await on.newUser());
    const clicks = await Promise.all([1, 2, 3, 4, 5, 6].map(() => on.storedClick(visitor)));
    await atOnce(
      on,
      clicks.map((click, index) => on.event(click, { txn_id: `A${index}` })),
    );
    expect((await on.ledger()).map((row) => row.status).toSorted()).toEqual([
      'pending',
      'pending',
      'pending',
      'pending',
      'review',
      'review',
    ]);
  });

  it('adds one point for a country mismatch, below the threshold of review', async () => {
    on = await stage(database);
    await on.take(on.event(await on.storedClick(null, 'IN'), { country: 'AE' }));
    expect(
      await on.rows('select fraud_score, fraud_rules from conversions where tenant_id = $1', [on.tenantId]),
    ).toEqual([{ fraud_score: 1, fraud_rules: ['country_mismatch'] }]);
    expect(await on.ledger()).toMatchObject([{ status: 'pending' }]);
  });
});
