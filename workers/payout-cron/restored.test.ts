import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { operatePayout } from './operate.ts';
import { payout } from './payout.ts';
import { reserveAll } from './reserve.ts';
import { findLostPurchases } from './restored.ts';
import { beginRun, noCounts } from './run.ts';
import { showVoucher } from './show-voucher.ts';
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

async function run(wait = 0, changes: Parameters<Stage['deps']>[0] = {}) {
  stage.clock.advance(wait);
  return stage.run(payout, changes);
}

const reserveOnly = () => stage.run((deps) => reserveAll(beginRun(deps), noCounts()));
const check = () => stage.run((deps) => findLostPurchases(beginRun(deps)));
const pages = async () => (await stage.pages()).map((page) => [page.dedup_key, page.event_action]);
const KEY = 'payouts-database-behind';

/** What triggers would have kept. */
const COVER =
  'select refresh_reward_cover(array_agg(tenant_id), array_agg(created_at), array_agg(conv_id)) from ledger';

/** The database before anything was bought for these people: rewards as they were, payouts and what they did gone. */
async function restore(...people: Shopper[]): Promise<void> {
  for (const { userId } of people)
    await stage.owner.query(`set session_replication_role = replica;
      delete from journal_entries j using payouts p where p.payee = '${userId}' and j.event_id like 'p' || p.payout_id || '.%';
      delete from payout_items i using payouts p where p.payee = '${userId}' and i.payout_id = p.payout_id;
      delete from payouts where payee = '${userId}';
      update ledger set status = 'confirmed' where user_id = '${userId}';
      update payee_accounts set available = 500, reserved = 0 where payee = '${userId}';
      reset session_replication_role; ${COVER}`);
}

/** The database when the payout was reserved, and no call made. */
async function restoreQueued(status: 'queued' | 'held' = 'queued'): Promise<void> {
  await stage.owner.query(`set session_replication_role = replica;
    update payouts set status = '${status}', attempts = 0, card_may_exist = false, intent_stored_at = null, gc_id = null, issued_at = null,
      paid_at = null, sms_attempts = 0;
    delete from journal_entries where kind = 'issue'; update payee_accounts set reserved = 500; update ledger set status = 'confirmed';
    reset session_replication_role`);
}

describe('fault 49, money rule 17: the database was restored to an earlier point', () => {
  it('finds the card bought since, under its own id, and buys none twice', async () => {
    await run();
    const bought = await stage.onlyPayout();
    await restore(shopper);
    stage.clock.advance(60 * MINUTE);
    expect(await run()).toMatchObject({ reserved: 0, issued: 1, paid: 1 });
    expect(await stage.onlyPayout()).toMatchObject({
      payout_id: bought.payout_id,
      creation_request_id: bought.creation_request_id,
      gc_id: bought.gc_id,
      status: 'paid',
    });
    expect(await stage.cards()).toHaveLength(1);
    expect(await pages()).toEqual([
      [KEY, 'trigger'],
      [KEY, 'resolve'],
    ]);
    expect(await stage.broken()).toEqual([]);
  });

  it('also when what was called for last is older than the point, and known', async () => {
    await stage.fault('agcod', { kind: 'resend' });
    await run();
    const later = await stage.shopper();
    await stage.reward(later, '500.00');
    await run(MINUTE);
    const lost = (await stage.payouts()).find(({ payee }) => payee === later.userId);
    // The first one is asked for again, and its voucher shown again, after the other one was bought.
    await run(3 * MINUTE);
    const old = (await stage.payouts()).find(({ payee }) => payee === shopper.userId);
    expect(old?.status).toBe('paid');
    await stage.run((deps) => showVoucher(deps, { payoutId: old?.payout_id ?? '', userId: shopper.userId }));
    await restore(later);
    await run(MINUTE);
    const found = (await stage.payouts()).find(({ payee }) => payee === later.userId);
    expect(found).toMatchObject({ status: 'paid', creation_request_id: lost?.creation_request_id });
    expect(await stage.cards()).toHaveLength(2);
    expect(await stage.broken()).toEqual([]);
  });

  it('also when the worker died with its call, so that no answer was ever seen', async () => {
    let isDead = false;
    const dead = () => Promise.reject(new Error('dead'));
    const { db } = stage.deps();
    await run(0, {
      db: { transaction: (work, options) => (isDead ? dead() : db.transaction(work, options)), end: () => db.end() },
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        isDead = isDead || String(input).endsWith('/CreateGiftCard');
        return isDead ? dead() : answer;
      },
      gate: {
        acquire: (...given) => stage.gate.acquire(...given),
        withdraw: dead,
        report: dead,
        status: (now) => stage.gate.status(now),
        claimPage: dead,
        pageSent: dead,
      },
    }).catch(() => undefined);
    expect(await stage.cards()).toHaveLength(1);
    await restore(shopper);
    await run(MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('a payout that is queued again counts as one that may have a card', async () => {
    await run();
    await restoreQueued();
    await check();
    expect(await stage.onlyPayout()).toMatchObject({ status: 'sending', card_may_exist: true });
    await run();
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', voucher_code: null });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.messages(shopper)).toHaveLength(2);
    expect(await stage.broken()).toEqual([]);
  });

  it('one that an operator held then stays held, and cannot be cancelled', async () => {
    const operatorId = await stage.operator();
    await run();
    await restoreQueued('held');
    await stage.owner.query('update payouts set held_at = $1, held_by = $2', [new Date(stage.clock.now()), operatorId]);
    await run(MINUTE);
    const row = await stage.onlyPayout();
    expect(row).toMatchObject({ status: 'held', card_may_exist: true });
    const operate = (action: 'cancel' | 'release') =>
      stage.run((deps) => operatePayout(deps, { payoutId: row.payout_id, action, operatorId, reason: 'r' }));
    expect(await operate('cancel')).toEqual({ ok: false, reason: 'card_may_exist' });
    expect(await operate('release')).toMatchObject({ ok: true });
    await run(MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('one that is queued again cannot be cancelled, not even before the first run has looked', async () => {
    const operatorId = await stage.operator();
    await run();
    await restoreQueued();
    const { payout_id: payoutId } = await stage.onlyPayout();
    const request = { payoutId, action: 'cancel', operatorId, reason: 'r' } as const;
    expect(await stage.run((deps) => operatePayout(deps, request))).toEqual({ ok: false, reason: 'card_may_exist' });
  });

  it('an intent whose payout was cancelled before its call is no purchase', async () => {
    const operatorId = await stage.operator();
    // The breaker opens behind the intent: the lease is given back, and the operator cancels.
    await reserveOnly();
    const gate = { ...methodsOf(stage), acquire: async () => ({ ok: false, reason: 'busy', until: null }) as const };
    await run(0, { gate });
    const { payout_id: payoutId } = await stage.onlyPayout();
    expect([...stage.evidence.objects.keys()]).toHaveLength(1);
    await stage.run((deps) => operatePayout(deps, { payoutId, action: 'cancel', operatorId, reason: 'r' }));
    await run(MINUTE);
    const bought = (await stage.payouts()).find(({ status }) => status === 'paid');
    await stage.owner.query(`set session_replication_role = replica;
      delete from journal_entries where event_id like 'p${bought?.payout_id}.%'; delete from payout_items where payout_id = '${bought?.payout_id}';
      delete from payouts where payout_id = '${bought?.payout_id}'; update ledger set status = 'confirmed';
      update payee_accounts set available = 500, reserved = 0; reset session_replication_role; ${COVER}`);
    await run(MINUTE);
    expect((await stage.payouts()).map(({ status }) => status).sort()).toEqual(['cancelled', 'paid']);
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('stays stopped while the balance behind a purchase is not back', async () => {
    await run();
    await restore(shopper);
    await stage.owner.query('update payee_accounts set available = 0');
    await expect(run(MINUTE)).rejects.toThrow('1 purchases are not in the database');
    expect(await stage.payouts()).toEqual([]);
    await stage.owner.query('update payee_accounts set available = 500');
    expect(await run(MINUTE)).toMatchObject({ paid: 1 });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });
});

describe('a worker that died is no restored database', () => {
  /** A run that dies once its slot is given: the intent is in R2, `sending` not committed. */
  async function dieBehindTheGate(): Promise<void> {
    await run(0, {
      gate: {
        ...methodsOf(stage),
        acquire: async (...given) => {
          const slot = await stage.gate.acquire(...given);
          if (given[1] === 'call') throw new Error('dead');
          return slot;
        },
      },
    });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'queued', intent_stored_at: null });
  }

  it('its payout is bought by the next run, and nobody is paged', async () => {
    await dieBehindTheGate();
    await run(MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 1 });
    expect(await pages()).toEqual([]);
  });

  it('nor when no run comes for long: it is asked for by its own id', async () => {
    await dieBehindTheGate();
    await run(60 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 2 });
    expect(await stage.cards()).toHaveLength(1);
    expect(await pages()).toEqual([]);
    expect(await stage.broken()).toEqual([]);
  });
});

function methodsOf({ gate }: Stage) {
  return {
    acquire: gate.acquire.bind(gate),
    withdraw: gate.withdraw.bind(gate),
    report: gate.report.bind(gate),
    status: gate.status.bind(gate),
    claimPage: gate.claimPage.bind(gate),
    pageSent: gate.pageSent.bind(gate),
  };
}
