import type { Database } from '@hissaback/shared/db/client';
import { beginAttempt, claimDue, markIssued, type Payout } from '@hissaback/shared/db/queries/payouts';
import { LEASE_MS } from '@hissaback/shared/domain/retry-schedule';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { applyOutcome, askForCard, attemptPayout } from './attempt.ts';
import type { PayoutDeps } from './deps.ts';
import { storeIntent } from './intents.ts';
import { payout } from './payout.ts';
import { reserveAll } from './reserve.ts';
import { beginRun, noCounts } from './run.ts';
import { type Shopper, Stage } from './stage.fake.ts';

const MINUTE = 60_000;

let stage: Stage;
let shopper: Shopper;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(async () => {
  await stage.reset();
  shopper = await stage.shopper();
  await stage.reward(shopper, '500.00');
});
afterAll(() => stage.close());

async function run(wait = 0, changes: Partial<PayoutDeps> = {}) {
  stage.clock.advance(wait);
  return stage.run(payout, changes);
}

const reserveOnly = () => stage.run((deps) => reserveAll(beginRun(deps), noCounts()));

async function claim(deps: PayoutDeps): Promise<Payout> {
  const due = await deps.db.transaction((tx) =>
    claimDue(tx, { statuses: ['queued', 'sending', 'issued', 'held'], now: stage.clock.now(), leaseMs: LEASE_MS }),
  );
  if (due === null) throw new Error('nothing is due');
  return due;
}

async function expectOneOfEach(messages = 1): Promise<void> {
  expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', voucher_code: null });
  expect(await stage.cards()).toHaveLength(1);
  expect(new Set((await stage.calls()).map(({ creationRequestId }) => creationRequestId)).size).toBe(1);
  expect(await stage.messages(shopper)).toHaveLength(messages);
  expect(await stage.broken()).toEqual([]);
}

/** A database that dies at the first transaction after `isTime` became true, as PostgreSQL does in a crash. */
function dyingWhen(isTime: () => boolean): (deps: PayoutDeps) => Database {
  return ({ db }) => ({
    transaction: (work, options) => {
      if (isTime()) return Promise.reject(new Error('the server is gone'));
      return db.transaction(work, options);
    },
    end: () => db.end(),
  });
}

describe('crashes: the next run resolves them with the same id', () => {
  it('fault 19: after the reservation, before sending', async () => {
    await reserveOnly();
    expect(await stage.onlyPayout()).toMatchObject({ status: 'queued' });
    expect(await run(MINUTE)).toMatchObject({ reserved: 0, issued: 1, paid: 1 });
    await expectOneOfEach();
  });

  it('fault 20: after sending is committed, before the call', async () => {
    await reserveOnly();
    await stage.run(async (deps) => {
      const due = await claim(deps);
      await storeIntent(stage.evidence, due, stage.clock.now());
      await deps.db.transaction((tx) => beginAttempt(tx, due, stage.clock.now(), LEASE_MS));
    });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'sending', attempts: 1, card_may_exist: true });
    expect(await run(MINUTE / 2)).toMatchObject({ issued: 0 });
    expect(await run(MINUTE / 2)).toMatchObject({ issued: 1, paid: 1 });
    expect(await stage.onlyPayout()).toMatchObject({ attempts: 2 });
    await expectOneOfEach();
  });

  it('fault 22: the card was created, PostgreSQL died before it was written down', async () => {
    let called = false;
    const deps = stage.deps({
      fetch: async (input, init) => {
        called = called || String(input).endsWith('/CreateGiftCard');
        return fetch(input, init);
      },
    });
    await expect(payout({ ...deps, db: dyingWhen(() => called)(deps) })).rejects.toThrow('the server is gone');
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'sending', card_may_exist: true });
    expect(await stage.broken()).toEqual([]);
    await run(MINUTE);
    await expectOneOfEach();
  });

  it('fault 42: between the SMS accepted and the code erased: one more SMS with the same code, then erased', async () => {
    let accepted = false;
    const deps = stage.deps({
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        accepted = accepted || String(input).includes('/api/v5/flow');
        return answer;
      },
    });
    await expect(payout({ ...deps, db: dyingWhen(() => accepted)(deps) })).rejects.toThrow('the server is gone');
    expect(await stage.onlyPayout()).toMatchObject({ status: 'issued', sms_attempts: 1 });
    expect(await run(MINUTE)).toMatchObject({ paid: 1, issued: 0 });
    await run(24 * 60 * MINUTE);
    await expectOneOfEach(2);
    const texts = (await stage.messages(shopper)).map(({ text }) => text);
    expect(new Set(texts).size).toBe(1);
  });
});

describe('answers and runs that cross', () => {
  it('fault 29: a late success of attempt 1 after attempt 2 was stored changes nothing and sends no SMS', async () => {
    await reserveOnly();
    await stage.run(async (deps) => {
      const slow = beginRun(deps);
      const due = await claim(deps);
      await storeIntent(stage.evidence, due, stage.clock.now());
      const startedAt = stage.clock.now();
      const number = await deps.db.transaction((tx) => beginAttempt(tx, due, startedAt, LEASE_MS));
      const late = await askForCard(slow, due);
      expect(late.kind).toBe('issued');
      await run(MINUTE);
      expect(await applyOutcome(slow, due, { number: number ?? 0, startedAt }, late)).toEqual({ kind: 'overtaken' });
    });
    await expectOneOfEach();
  });

  it('money rule 15: a late failure of attempt 1 does not touch attempt 2', async () => {
    await reserveOnly();
    await stage.run(async (deps) => {
      const slow = beginRun(deps);
      const due = await claim(deps);
      const startedAt = stage.clock.now();
      await deps.db.transaction((tx) => beginAttempt(tx, due, startedAt, LEASE_MS));
      stage.clock.advance(MINUTE);
      const again = await claim(deps);
      await deps.db.transaction((tx) => beginAttempt(tx, again, stage.clock.now(), LEASE_MS));
      const refused = { kind: 'refused', error: { code: 'F200', type: 'MaxAmountExceeded' } } as const;
      expect(await applyOutcome(slow, due, { number: 1, startedAt }, refused)).toEqual({ kind: 'overtaken' });
    });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'sending', attempts: 2, card_may_exist: true });
    expect(await stage.broken()).toEqual([]);
  });

  it.each(['queued', 'sending'])(
    'fault 30: two workers with the same %s payout: the one whose lease ran out makes no call',
    async (status) => {
      await reserveOnly();
      if (status === 'sending') await stage.owner.query(`update payouts set status = 'sending', card_may_exist = true`);
      const [first, second] = [stage.deps(), stage.deps()];
      const stale = await claim(first);
      stage.clock.advance(MINUTE);
      const fresh = await claim(second);
      expect(fresh.payoutId).toBe(stale.payoutId);
      const results = await Promise.all([
        attemptPayout(beginRun(first), stale, 'call'),
        attemptPayout(beginRun(second), fresh, 'call'),
      ]);
      expect(results.map(({ kind }) => kind)).toEqual(['overtaken', 'issued']);
      expect(await stage.calls()).toHaveLength(1);
      await run(MINUTE);
      await expectOneOfEach();
    },
  );

  it('fault 30: a card stored twice is journaled once', async () => {
    await reserveOnly();
    await stage.run(async ({ db }) => {
      const due = await claim(stage.deps());
      await db.transaction((tx) => beginAttempt(tx, due, stage.clock.now(), LEASE_MS));
      const card = { gcId: '1', voucherCode: 'sealed' };
      const store = () => db.transaction((tx) => markIssued(tx, due, 1, card, stage.clock.now(), LEASE_MS));
      expect([await store(), await store()]).toEqual([true, false]);
    });
    const { rows } = await stage.owner.query(`select count(*)::int as n from journal_entries where kind = 'issue'`);
    expect(rows).toEqual([{ n: 2 }]);
  });

  it('a payout that a reversal cancelled after it was claimed is not bought', async () => {
    await reserveOnly();
    const deps = stage.deps();
    const due = await claim(deps);
    await stage.owner.query(`update payouts set status = 'cancelled'`);
    expect(await attemptPayout(beginRun(deps), due, 'call')).toEqual({ kind: 'overtaken' });
    expect(await stage.calls()).toEqual([]);
  });
});
