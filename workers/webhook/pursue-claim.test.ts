import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { ClaimDecision } from '../../packages/shared/db/queries/missing-cashback.ts';
import { assignUnmatched } from '../../packages/shared/db/queries/unmatched.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { rematch } from './rematch.ts';
import { stage } from './stage.fake.ts';
import { batchOf, type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await stage(database);
  at = worker(database, on);
  // What waits for an operator is the platform's: what the test before left is put away.
  await on.rows('delete from missing_cashback_claims');
  await on.rows(`update unmatched_conversions set status = 'dismissed' where status = 'open'`);
});
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.end();
});

type Claim = { status: string; rule: string | null; conv_id: string | null; unmatched_id: string | null };

/** A claim of a shopper's, made as the api makes it, and what became of it. */
async function claim(userId: string, order: string, amount = '1000.00') {
  const claim_id = randomUUID();
  await on.owner.query(
    `insert into missing_cashback_claims (claim_id, user_id, merchant, brand, purchased_on, order_id, amount, created_at)
     values ($1, $2, $3, 'Brand', $4, $5, $6, $7)`,
    [
      claim_id,
      userId,
      `merchant-${on.offerId}`,
      new Date(on.clock.now()).toISOString().slice(0, 10),
      order,
      amount,
      new Date(on.clock.now()),
    ],
  );
  const pursue = async (): Promise<Claim> => {
    const { batch, messages } = batchOf('hissaback-postbacks', [{ kind: 'missing_cashback', claim_id }]);
    await consumePostbacks(batch, at.env, at.deps);
    expect(messages[0]?.said).toBe('ack');
    on.clock.advance(1_000);
    await at.drain();
    return now();
  };
  const now = async (): Promise<Claim> => {
    const [row] = await on.rows<Claim>(
      'select status, rule, conv_id, unmatched_id from missing_cashback_claims where claim_id = $1',
      [claim_id],
    );
    if (row === undefined) throw new Error('no such claim');
    return row;
  };
  const decide = (decision: ClaimDecision) =>
    on.rows(
      `update missing_cashback_claims set status = 'approved', decision = $2, decided_at = now(), reason = 'test' where claim_id = $1`,
      [claim_id, decision],
    );
  return { claim_id, pursue, now, decide };
}
/** A postback that nothing could be made of. */
async function lost(say: Record<string, string>): Promise<string> {
  const message = await at.message(null, { click_id: '{click_id}', ...say });
  const { batch } = batchOf('hissaback-postbacks', [message]);
  await consumePostbacks(batch, at.env, at.deps);
  return message.kind === 'event' ? message.postback_id : '';
}
const unmatched = async (id: string) =>
  (
    await on.rows(
      'select status, reason, conv_id is not null as matched from unmatched_conversions where unmatched_id = $1',
      [id],
    )
  )[0];

describe('a claim of missing cashback', () => {
  it('is answered with the conversion when it is tracked already', async () => {
    const user = await on.newUser();
    await on.take(on.event(await on.storedClick(await on.newVisitor(user)), { txn_id: 'T-1' }));
    expect(await (await claim(user, ' t-1')).pursue()).toMatchObject({ status: 'linked', rule: 'tracked' });
    expect(await on.ledger()).toHaveLength(1);
  });

  it('gives the one unmatched postback with its order id and amount the shopper’s last click before it', async () => {
    const user = await on.newUser();
    const visitor = await on.newVisitor(user);
    await on.storedClick(visitor);
    on.clock.advance(60_000);
    const last = await on.storedClick(visitor);
    on.clock.advance(60_000);
    const id = await lost({ txn_id: 'U-1' });
    on.clock.advance(60_000);
    await on.storedClick(visitor);
    const mine = await claim(user, 'u-1');
    expect(await mine.pursue()).toMatchObject({ status: 'linked', rule: 'unmatched', unmatched_id: id });
    expect(await on.ledger()).toMatchObject([{ user_id: user, user_amount: '50.00', status: 'pending' }]);
    expect(await on.rows('select click_id from conversions where tenant_id = $1', [on.tenantId])).toEqual([
      { click_id: String(last.clickId) },
    ]);
    expect(await unmatched(id)).toMatchObject({ status: 'matched', matched: true });
    expect(
      await on.rows(`select distinct actor, reason from audit_log where subject = $1`, [
        `missing_cashback:${mine.claim_id}`,
      ]),
    ).toEqual([{ actor: 'webhook', reason: 'unmatched' }]);
    // What came of it is told with the claim.
    const [conversion] = await on.ledger();
    expect(await mine.now()).toMatchObject({ status: 'linked', conv_id: conversion?.conv_id });
    await mine.pursue();
    expect(await on.ledger()).toHaveLength(1);
  });

  it.each([
    ['another amount', 'other_amount', async () => void (await lost({ txn_id: 'O-1', sale_amount: '999.99' }))],
    [
      'several postbacks',
      'several_postbacks',
      async () => {
        await lost({ txn_id: 'O-1' });
        await lost({ txn_id: 'O-1' });
      },
    ],
    ['nothing at all', 'nothing_found', async () => undefined],
    ['the amount only', 'amount_only', async () => void (await lost({ txn_id: '{txn_id}', sale_amount: '1000' }))],
    ['another amount and no order id', 'nothing_found', async () => void (await lost({ sale_amount: '1000.01' }))],
    [
      'a conversion of a visitor who may yet log in',
      'unclaimed_visitors',
      async () => void (await on.take(on.event(await on.storedClick(await on.newVisitor(null)), { txn_id: 'O-1' }))),
    ],
    [
      'a conversion of a visitor whom only its click knows',
      'unclaimed_visitors',
      async () => void (await on.take(on.event(on.newClick(randomUUID()), { txn_id: 'O-1' }))),
    ],
    [
      'a conversion of nobody’s with another amount',
      'other_amount',
      async () => void (await on.take(on.event(await on.storedClick(null), { txn_id: 'O-1', sale_amount: '1000.01' }))),
    ],
    [
      'a conversion of another shopper’s whose login is not through yet',
      'another_shoppers',
      async () => {
        const visitor = await on.newVisitor(null);
        await on.take(on.event(await on.storedClick(visitor), { txn_id: 'O-1' }));
        await on.owner.query('update visitors set user_id = $2, bound_at = created_at where visitor_id = $1', [
          visitor,
          await on.newUser(),
        ]);
      },
    ],
  ])('stays open for an operator with %s', async (_, rule, happens) => {
    const user = await on.newUser();
    await on.storedClick(await on.newVisitor(user));
    await happens();
    expect(await (await claim(user, 'O-1')).pursue()).toMatchObject({ status: 'open', rule });
    expect((await on.ledger()).filter((row) => row.user_id === user)).toEqual([]);
  });

  it('says why a postback that fits cannot be a conversion even so', async () => {
    const user = await on.newUser();
    await on.storedClick(await on.newVisitor(user));
    await lost({ txn_id: 'W-1', status: '{status}' });
    expect(await (await claim(user, 'W-1')).pursue()).toMatchObject({
      status: 'open',
      rule: 'refused_unsubstituted_macro',
    });
  });

  it('is never linked without a click of the shopper’s own, nor to what names somebody else’s click', async () => {
    const [user, other] = [await on.newUser(), await on.newUser()];
    await lost({ txn_id: 'S-1' });
    expect(await (await claim(user, 'S-1')).pursue()).toMatchObject({ status: 'open', rule: 'no_click' });
    await on.storedClick(await on.newVisitor(user));
    const theirs = await on.storedClick(await on.newVisitor(other));
    // Kept for its currency; it names the other shopper's click.
    await consumePostbacks(
      batchOf('hissaback-postbacks', [await at.message(theirs, { txn_id: 'S-2', currency: 'USD' })]).batch,
      at.env,
      at.deps,
    );
    expect(await (await claim(user, 'S-2')).pursue()).toMatchObject({ status: 'open', rule: 'known_click' });
  });

  it('is searched for again every day, so that a postback that comes later is found', async () => {
    const user = await on.newUser();
    await on.storedClick(await on.newVisitor(user));
    const mine = await claim(user, 'L-1');
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ claims: 1 });
    await at.drain();
    expect(await mine.now()).toMatchObject({ status: 'open', rule: 'nothing_found' });
    await lost({ txn_id: 'L-1' });
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ claims: 0 });
    on.clock.advance(86_400_001);
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ claims: 1 });
    await at.drain();
    expect(await mine.now()).toMatchObject({ status: 'linked' });
  });
});

describe('a claim of a reward that is credited to nobody', () => {
  const nobodys = async (say: Record<string, string> = {}) => {
    const click = await on.storedClick(null);
    on.clock.advance(60_000);
    await on.take(on.event(click, { txn_id: 'N-1', ...say }));
  };

  it('is the shopper’s who clicked on that offer beside it, with every fraud rule run again', async () => {
    const user = await on.newUser();
    await on.storedClick(await on.newVisitor(user));
    await nobodys();
    const [conversion] = await on.ledger();
    const mine = await claim(user, 'n-1');
    expect(await mine.pursue()).toMatchObject({ status: 'linked', rule: 'nobodys', conv_id: conversion?.conv_id });
    expect(await on.ledger()).toMatchObject([{ user_id: user, user_amount: '50.00', status: 'pending' }]);
    expect(await on.balance(`shopper:pending:%:${user}`)).toBe('50.00');
    await mine.pursue();
    expect(await on.ledger()).toHaveLength(1);
  });

  it('is refused by the fraud rules to the creator', async () => {
    await on.storedClick(await on.newVisitor(on.creatorId));
    await nobodys();
    await (await claim(on.creatorId, 'N-1')).pursue();
    expect(await on.ledger()).toMatchObject([{ user_id: on.creatorId, status: 'rejected', reason: 'self_purchase' }]);
  });

  it('is not for whoever guesses order id, date and amount: without a click from then it waits for an operator', async () => {
    const guesser = await on.newUser();
    await nobodys();
    const mine = await claim(guesser, 'N-1');
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'nobodys_conversion' });
    on.clock.advance(60_000);
    await on.storedClick(await on.newVisitor(guesser));
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'nobodys_conversion' });
    expect(await on.ledger()).toMatchObject([{ user_id: null, status: 'pending' }]);
  });

  it('of two shoppers is an operator’s to decide, who sees what there is', async () => {
    const [one, two] = [await on.newUser(), await on.newUser()];
    const click = await on.storedClick(await on.newVisitor(one));
    await on.storedClick(await on.newVisitor(two));
    await nobodys();
    const [mine, theirs] = [await claim(one, 'N-1'), await claim(two, 'n-1')];
    for (const each of [mine, theirs])
      expect(await each.pursue()).toMatchObject({ status: 'open', rule: 'several_claims' });
    const [conversion] = await on.ledger();
    const [row] = await on.rows<{ evidence: unknown }>(
      'select evidence from missing_cashback_claims where claim_id = $1',
      [mine.claim_id],
    );
    expect(row?.evidence).toMatchObject({
      conversions: [
        { conv_id: conversion?.conv_id, order_id: 'N-1', whose: 'nobodys', amount: '1000.00', status: 'pending' },
      ],
      clicks: [{ click_id: String(click.clickId), link_id: on.linkId, offer_id: on.offerId }],
      unmatched: [],
      other_claims: 1,
    });
    await theirs.decide({ conv_id: conversion?.conv_id ?? '' });
    expect(await theirs.pursue()).toMatchObject({ status: 'linked', conv_id: conversion?.conv_id });
    expect(await on.ledger()).toMatchObject([{ user_id: two }]);
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'another_shoppers' });
  });

  it('is given to one of ten whom operators give it at the same moment, and to none twice', async () => {
    const users = await Promise.all(Array.from({ length: 10 }, () => on.newUser()));
    await nobodys();
    const [conversion] = await on.ledger();
    const claims = await Promise.all(users.map((user) => claim(user, 'N-1')));
    for (const each of claims) await each.decide({ conv_id: conversion?.conv_id ?? '' });
    const ends = await Promise.all(claims.map((each) => each.pursue()));
    expect(ends.filter(({ status }) => status === 'linked')).toHaveLength(1);
    expect(ends.filter(({ rule }) => rule === 'decision_impossible')).toHaveLength(9);
    expect(await on.balance('shopper:pending:%')).toBe('50.00');
  });

  it('but is a visitor’s is given by an operator, and the visitor who logs in later finds nothing of it', async () => {
    const [user, later] = [await on.newUser(), await on.newUser()];
    const visitor = await on.newVisitor(null);
    await on.take(on.event(await on.storedClick(visitor), { txn_id: 'N-1' }));
    const [conversion] = await on.ledger();
    const mine = await claim(user, 'N-1');
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'unclaimed_visitors' });
    await mine.decide({ conv_id: conversion?.conv_id ?? '' });
    expect(await mine.pursue()).toMatchObject({ status: 'linked', rule: 'decided' });
    await on.owner.query('update visitors set user_id = $2, bound_at = created_at where visitor_id = $1', [
      visitor,
      later,
    ]);
    const { batch } = batchOf('hissaback-postbacks', [{ kind: 'claim', visitor_id: visitor, user_id: later }]);
    await consumePostbacks(batch, at.env, at.deps);
    expect(await on.ledger()).toMatchObject([{ user_id: user, status: 'pending' }]);
  });
});

describe('an operator’s decision about a claim', () => {
  it('gives a conversion of nobody’s to the shopper, with every fraud rule run again', async () => {
    const user = await on.newUser();
    await on.take(on.event(await on.storedClick(null), { txn_id: 'D-1' }));
    const [conversion] = await on.ledger();
    const mine = await claim(user, 'D-1');
    await mine.decide({ conv_id: conversion?.conv_id ?? '' });
    expect(await mine.pursue()).toMatchObject({ status: 'linked', rule: 'decided', conv_id: conversion?.conv_id });
    expect(await on.balance(`shopper:pending:%:${user}`)).toBe('50.00');

    await on.take(on.event(await on.storedClick(null), { txn_id: 'D-2' }));
    const own = await claim(on.creatorId, 'D-2');
    const [, second] = await on.ledger();
    await own.decide({ conv_id: second?.conv_id ?? '' });
    await own.pursue();
    expect((await on.ledger())[1]).toMatchObject({ status: 'rejected', reason: 'self_purchase' });
  });

  it('gives an unmatched postback a click by a reference of ours, and what its words lack', async () => {
    const user = await on.newUser();
    const id = await lost({ txn_id: 'D-3', sale_amount: '{sale_amount}' });
    const click = await at.referenceOf(on.newClick(await on.newVisitor(user)));
    const mine = await claim(user, 'D-3');
    await mine.decide({ unmatched_id: id, assignment: { click, sale_amount: '500.00' } });
    expect(await mine.pursue()).toMatchObject({ status: 'linked', unmatched_id: id });
    expect(await on.ledger()).toMatchObject([{ user_id: user, user_amount: '25.00' }]);
  });

  it('names a click of nobody’s, and gives the reward to the claimant all the same', async () => {
    const user = await on.newUser();
    for (const visitor of [null, await on.newVisitor(null)]) {
      const click = await on.storedClick(visitor);
      const order = `D-5-${visitor ?? ''}`;
      const id = await lost({ txn_id: order });
      const mine = await claim(user, order);
      await mine.decide({ unmatched_id: id, assignment: { click: String(click.clickId) } });
      expect(await mine.pursue()).toMatchObject({ status: 'linked', unmatched_id: id, conv_id: expect.any(String) });
    }
    expect(await on.ledger()).toMatchObject([{ user_id: user }, { user_id: user }]);
    expect(await on.balance(`shopper:pending:%:${user}`)).toBe('100.00');
  });

  it('never gives a reward to somebody else by naming their click', async () => {
    const [user, other] = [await on.newUser(), await on.newUser()];
    const click = await on.storedClick(await on.newVisitor(other));
    const id = await lost({ txn_id: 'D-6' });
    const mine = await claim(user, 'D-6');
    await mine.decide({ unmatched_id: id, assignment: { click: String(click.clickId) } });
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'refused_another_shoppers_click' });
    expect(await on.ledger()).toEqual([]);
  });

  it('that the rules refuse gives the claim back with the reason, and what it was about stays in the evidence', async () => {
    const other = await stage(database);
    const user = await on.newUser();
    const click = await other.storedClick(null);
    const id = await lost({ txn_id: 'D-7' });
    const mine = await claim(user, 'D-7');
    await mine.decide({ unmatched_id: id, assignment: { click: String(click.clickId) } });
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'refused_foreign_offer', unmatched_id: null });
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'known_click' });
    const [row] = await on.rows<{ evidence: unknown }>(
      'select evidence from missing_cashback_claims where claim_id = $1',
      [mine.claim_id],
    );
    expect(row?.evidence).toMatchObject({ unmatched: [{ unmatched_id: id, reason: 'foreign_offer' }] });
    await other.end();
  });

  it('is carried out by the next rematch if its message is lost, whenever the claim was searched or made', async () => {
    const user = await on.newUser();
    await on.take(on.event(await on.storedClick(null), { txn_id: 'D-8' }));
    const [conversion] = await on.ledger();
    const mine = await claim(user, 'D-8');
    await mine.pursue();
    on.clock.advance(61 * 86_400_000);
    await mine.decide({ conv_id: conversion?.conv_id ?? '' });
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ claims: 1 });
    await at.drain();
    expect(await mine.now()).toMatchObject({ status: 'linked', conv_id: conversion?.conv_id });
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ claims: 0 });
  });

  it('that cannot be carried out gives the claim back', async () => {
    const [user, other] = [await on.newUser(), await on.newUser()];
    await on.take(on.event(await on.storedClick(await on.newVisitor(other)), { txn_id: 'D-4' }));
    const [conversion] = await on.ledger();
    const mine = await claim(user, 'D-4');
    await mine.decide({ conv_id: conversion?.conv_id ?? '' });
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'decision_impossible' });
    expect(
      await on.rows('select decision, decided_at, reason from missing_cashback_claims where claim_id = $1', [
        mine.claim_id,
      ]),
    ).toEqual([{ decision: null, decided_at: null, reason: null }]);
    await mine.decide({ unmatched_id: await lost({ txn_id: 'D-4', status: '{status}' }), assignment: { click: '1' } });
    expect(await mine.pursue()).toMatchObject({ status: 'open', rule: 'refused_unsubstituted_macro' });
  });
});

describe('an unmatched postback', () => {
  it('whose assignment is lost on its way is sent by the next rematch, and tried once', async () => {
    const id = await lost({ txn_id: 'R-1' });
    const click = await on.storedClick(await on.newVisitor(await on.newUser()));
    await on.db.transaction((tx) =>
      assignUnmatched(tx, {
        unmatchedId: BigInt(id),
        assignment: { click: String(click.clickId) },
        at: on.clock.now(),
      }),
    );
    on.clock.advance(1_000);
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ rematched: 1 });
    await at.drain();
    expect(await unmatched(id)).toMatchObject({ status: 'matched' });
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ rematched: 0 });
  });

  it('that was assigned and refused says why, and is not tried for ever', async () => {
    const other = await stage(database);
    const click = await other.storedClick(null);
    const id = await lost({ txn_id: 'R-2' });
    await on.db.transaction((tx) =>
      assignUnmatched(tx, {
        unmatchedId: BigInt(id),
        assignment: { click: String(click.clickId) },
        at: on.clock.now(),
      }),
    );
    on.clock.advance(1_000);
    await rematch(on.db, at.env, at.deps);
    await at.drain();
    expect(await unmatched(id)).toMatchObject({ status: 'open', reason: 'foreign_offer' });
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ rematched: 0 });
    await other.end();
  });

  it('of an offer that is synced later is matched then', async () => {
    const click = await on.storedClick(null);
    await on.owner.query('update links set offer_id = offer_id where link_id = $1', [on.linkId]);
    const late = on.offerId + 300_000_000;
    const message = await at.message(click, { txn_id: 'R-3', offer_id: String(late) });
    await consumePostbacks(batchOf('hissaback-postbacks', [message]).batch, at.env, at.deps);
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ rematched: 0 });
    await on.rows(
      `insert into offers select ${late}, network, brand, sku, category, title, merchant, model, currency, base_commission_pct, fixed_commission,
         country_commissions, cool_off_days, tracking_link, preview_url, status, synced_at from offers where offer_id = $1`,
      [on.offerId],
    );
    await on.owner.query('update links set offer_id = $2 where link_id = $1', [on.linkId, late]);
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ rematched: 1 });
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
  });
});
