import type { PayoutAction } from '@hissaback/shared/domain/payout-action';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { operatePayout } from './operate.ts';
import { payout } from './payout.ts';
import { reserveAll } from './reserve.ts';
import { beginRun, noCounts } from './run.ts';
import { showVoucher } from './show-voucher.ts';
import { type Shopper, Stage } from './stage.fake.ts';

const MINUTE = 60_000;

let stage: Stage;
let shopper: Shopper;
let operatorId: string;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(async () => {
  await stage.reset();
  operatorId = await stage.operator();
  shopper = await stage.shopper();
  await stage.reward(shopper, '500.00');
});
afterAll(() => stage.close());

const reserveOnly = () => stage.run((deps) => reserveAll(beginRun(deps), noCounts()));

async function run(wait = 0, changes: Parameters<Stage['deps']>[0] = {}) {
  stage.clock.advance(wait);
  return stage.run(payout, changes);
}

async function operate(action: PayoutAction, changes: Parameters<Stage['deps']>[0] = {}) {
  const { payout_id: payoutId } = await stage.onlyPayout();
  return stage.run((deps) => operatePayout(deps, { payoutId, action, operatorId, reason: 'a reason' }), changes);
}

/** An issued payout whose SMS does not go out. */
async function issuedOnly() {
  await stage.fault('sms', { kind: 'error', times: 50 });
  await run();
  const row = await stage.onlyPayout();
  expect(row.status).toBe('issued');
  return row;
}

describe('who may', () => {
  it('only an operator by the table, asked in the transaction of the deed (money rule 24)', async () => {
    await reserveOnly();
    await stage.owner.query('delete from operators');
    expect(await operate('hold')).toEqual({ ok: false, reason: 'not_operator' });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'queued' });
    expect(await stage.auditLog()).toEqual([]);
  });

  it('every deed is in the audit log with its reason, a refused one is not', async () => {
    await reserveOnly();
    for (const action of ['hold', 'hold', 'release', 'cancel'] as const) {
      stage.clock.advance(1_000);
      await operate(action);
    }
    const { payout_id } = await stage.onlyPayout();
    expect(await stage.auditLog()).toEqual(
      ['payout.held', 'payout.released', 'payout.cancelled'].map((action) => ({
        ...{ actor: `user:${operatorId}`, action, subject: `payout:${payout_id}`, reason: 'a reason' },
      })),
    );
  });
});

describe('hold and release', () => {
  it('what is held is not asked for; released it is queued again, and bought once', async () => {
    await reserveOnly();
    expect(await operate('hold')).toEqual({ ok: true, status: 'held' });
    await run(10 * MINUTE);
    expect(await stage.calls()).toEqual([]);
    expect(await operate('release')).toEqual({ ok: true, status: 'queued' });
    await run(MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('held while its call is under way: the answer waits, and the same id finds the card after the release', async () => {
    await reserveOnly();
    const before: typeof fetch = async (input, init) => {
      if (String(input).endsWith('/CreateGiftCard')) await operate('hold');
      return fetch(input, init);
    };
    await run(0, { fetch: (input, init) => before(input, init) });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'held', card_may_exist: true, gc_id: null });
    expect(await stage.cards()).toHaveLength(1);
    await run(60 * MINUTE);
    expect(await stage.calls()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
    await operate('release');
    await run(MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.messages(shopper)).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('an issued voucher that is held is not delivered', async () => {
    await issuedOnly();
    expect(await operate('hold')).toEqual({ ok: true, status: 'issued' });
    await stage.control('sms', 'reset', {});
    await run(120 * MINUTE);
    expect(await stage.messages(shopper)).toEqual([]);
    await operate('release');
    await run();
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
  });

  it('the breaker neither probes with nor resumes what an operator holds', async () => {
    await stage.control('agcod', 'funds', { amount: '0.00' });
    await run();
    expect(await stage.onlyPayout()).toMatchObject({ status: 'held' });
    await operate('hold');
    await stage.control('agcod', 'funds', { amount: '10000.00' });
    const calls = (await stage.calls()).length;
    await run(10 * MINUTE);
    expect(await stage.calls()).toHaveLength(calls);
    await operate('release');
    await run(10 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.broken()).toEqual([]);
  });
});

describe('cancel', () => {
  it('while no card can exist: the money is back, once, and may be paid again', async () => {
    await reserveOnly();
    const done = await Promise.all(Array.from({ length: 5 }, () => operate('cancel')));
    expect(done.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await stage.account(shopper)).toEqual({ available: '500.00', reserved: '0.00', receivable: '0.00' });
    expect(await stage.broken()).toEqual([]);
    await run(MINUTE);
    expect((await stage.payouts()).map(({ status }) => status).sort()).toEqual(['cancelled', 'paid']);
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it.each(['drop-after', 'drop-before'])(
    'fault 31: never while a card may exist (%s), only the same id again tells',
    async (kind) => {
      await stage.fault('agcod', { kind });
      await run();
      expect(await operate('cancel')).toEqual({ ok: false, reason: 'card_may_exist' });
      await operate('hold');
      expect(await operate('cancel')).toEqual({ ok: false, reason: 'card_may_exist' });
      expect(await stage.account(shopper)).toMatchObject({ reserved: '500.00' });
    },
  );

  it('a paid voucher stays paid: its code was delivered', async () => {
    await run();
    expect(await operate('cancel')).toEqual({ ok: false, reason: 'wrong_status' });
  });

  it('an undelivered card within 15 minutes: Amazon cancels it, the code is erased, the money is back', async () => {
    await issuedOnly();
    expect(await operate('cancel')).toEqual({ ok: true, status: 'cancelled' });
    expect((await stage.cards()).map(({ status }) => status)).toEqual(['RefundedToPurchaser']);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'cancelled', voucher_code: null, card_may_exist: false });
    expect(await stage.account(shopper)).toEqual({ available: '500.00', reserved: '0.00', receivable: '0.00' });
    expect(await stage.broken()).toEqual([]);
    await stage.control('sms', 'reset', {});
    await run(60 * MINUTE);
    expect((await stage.payouts()).map(({ status }) => status).sort()).toEqual(['cancelled', 'paid']);
    expect(await stage.messages(shopper)).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('after 15 minutes never', async () => {
    await issuedOnly();
    stage.clock.advance(15 * MINUTE + 1);
    expect(await operate('cancel')).toEqual({ ok: false, reason: 'too_late' });
  });

  it('when Amazon refuses: the card is alive, the payout goes on', async () => {
    await issuedOnly();
    await stage.fault('agcod', {
      kind: 'error',
      op: 'CancelGiftCard',
      errorCode: 'F200',
      errorType: 'CardAlreadyRedeemed',
    });
    expect(await operate('cancel')).toEqual({ ok: false, reason: 'amazon_refused' });
    await stage.control('sms', 'reset', {});
    await run(60 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.broken()).toEqual([]);
  });

  it('when its answer is lost the card itself tells what became of it', async () => {
    await issuedOnly();
    await stage.fault('agcod', { kind: 'drop-after', op: 'CancelGiftCard' });
    expect(await operate('cancel')).toEqual({ ok: true, status: 'cancelled' });
    expect(await stage.broken()).toEqual([]);
  });

  it('when nobody answers nothing is delivered until a run has learnt it', async () => {
    await issuedOnly();
    await stage.fault('agcod', { kind: 'drop-after', op: 'CancelGiftCard' });
    await stage.fault('agcod', { kind: 'drop-before', op: 'CreateGiftCard' });
    expect(await operate('cancel')).toEqual({ ok: false, reason: 'unknown_outcome' });
    expect(await operate('cancel')).toEqual({ ok: false, reason: 'cancelling_already' });
    await stage.control('sms', 'reset', {});
    await run(MINUTE / 2);
    expect(await stage.messages(shopper)).toEqual([]);
    await run(MINUTE);
    expect((await stage.payouts()).map(({ status }) => status)).toContain('cancelled');
    expect((await stage.auditLog()).map(({ action }) => action)).toEqual(['payout.cancel_asked', 'payout.cancelled']);
    expect(await stage.broken()).toEqual([]);
  });
});

describe('retry', () => {
  it('tries a waiting payout at once, with the same id', async () => {
    await stage.fault('agcod', { kind: 'resend', times: 3 });
    await run();
    await run(3 * MINUTE);
    await run(5 * MINUTE);
    await operate('retry');
    await run();
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 4 });
    expect(new Set((await stage.calls()).map((call) => call.creationRequestId)).size).toBe(1);
  });

  it('takes up an error_soft one before the night', async () => {
    await stage.fault('agcod', { kind: 'drop-after' });
    await run();
    await stage.owner.query(`update payouts set status = 'error_soft', attempts = 10`);
    expect(await operate('retry')).toEqual({ ok: true, status: 'sending' });
    await run();
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.cards()).toHaveLength(1);
  });

  it('leaves alone what somebody may hold a lease on', async () => {
    await issuedOnly();
    const before = (await stage.onlyPayout()).next_attempt_at;
    expect(await operate('retry')).toEqual({ ok: true, status: 'issued' });
    expect((await stage.onlyPayout()).next_attempt_at).toEqual(before);
  });
});

describe('resolve', () => {
  it('an error_hard one: its payee is paid again', async () => {
    await stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType: 'InvalidAmountInput' });
    await run();
    await run(MINUTE);
    expect(await stage.payouts()).toHaveLength(1);
    expect(await operate('resolve')).toEqual({ ok: true, status: 'error_hard' });
    expect(await operate('resolve')).toEqual({ ok: false, reason: 'resolved_already' });
    await run(MINUTE);
    expect((await stage.payouts()).map(({ status }) => status).sort()).toEqual(['error_hard', 'paid']);
    expect(await stage.broken()).toEqual([]);
  });

  it('nothing else', async () => {
    await reserveOnly();
    expect(await operate('resolve')).toEqual({ ok: false, reason: 'wrong_status' });
  });
});

describe('operators and twenty runs at once', () => {
  it.each(['hold', 'cancel', 'retry'] as const)('%s: at most one card, the books hold', async (action) => {
    await reserveOnly();
    const { payout_id: payoutId } = await stage.onlyPayout();
    const request = { payoutId, action, operatorId, reason: 'a reason' };
    const [done] = await Promise.all([
      stage.run((deps) => operatePayout(deps, request)),
      ...Array.from({ length: 20 }, () => stage.run(payout)),
    ]);
    expect(await stage.broken()).toEqual([]);
    const row = (await stage.payouts()).find((candidate) => candidate.payout_id === payoutId);
    if (done.ok && action === 'cancel') expect(row).toMatchObject({ status: 'cancelled', gc_id: null });
    if (done.ok && action === 'hold') expect(['held', 'issued', 'paid']).toContain(row?.status);
    if (row?.status === 'held') await stage.run((deps) => operatePayout(deps, { ...request, action: 'release' }));
    for (let minute = 0; minute < 3; minute++) await run(MINUTE);
    const own = (await stage.cards()).filter((card) => card.creationRequestId === row?.creation_request_id);
    expect(own.length).toBeLessThanOrEqual(1);
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.messages(shopper)).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('a card that is cancelled is never delivered, however many runs try', async () => {
    await issuedOnly();
    await stage.control('sms', 'reset', {});
    stage.clock.advance(MINUTE);
    const { payout_id: payoutId, creation_request_id } = await stage.onlyPayout();
    const [done] = await Promise.all([
      stage.run((deps) => operatePayout(deps, { payoutId, action: 'cancel', operatorId, reason: 'a reason' })),
      ...Array.from({ length: 20 }, () => stage.run(payout)),
    ]);
    const row = (await stage.payouts()).find((candidate) => candidate.payout_id === payoutId);
    const card = (await stage.cards()).find((candidate) => candidate.creationRequestId === creation_request_id);
    expect([row?.status, card?.status]).toEqual(done.ok ? ['cancelled', 'RefundedToPurchaser'] : ['paid', 'Fulfilled']);
    expect(await stage.broken()).toEqual([]);
  });
});

describe('show my voucher again', () => {
  const show = async (userId = shopper.userId) => {
    const { payout_id: payoutId } = await stage.onlyPayout();
    return stage.run((deps) => showVoucher(deps, { payoutId, userId }));
  };

  it('asks Amazon by the same id, shows the same code, makes no card, and is audited', async () => {
    await run();
    const [card] = await stage.cards();
    expect(await show()).toEqual({ ok: true, claimCode: card?.claimCode, amount: '500.00', currency: 'INR' });
    expect(await stage.cards()).toHaveLength(1);
    expect(new Set((await stage.calls()).map((call) => call.creationRequestId)).size).toBe(1);
    expect(await stage.auditLog()).toMatchObject([{ actor: `user:${shopper.userId}`, action: 'payout.voucher_asked' }]);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', voucher_code: null });
  });

  it('to nobody else, and not before it was delivered', async () => {
    await issuedOnly();
    expect(await show()).toEqual({ ok: false, reason: 'not_paid' });
    expect(await show((await stage.shopper()).userId)).toEqual({ ok: false, reason: 'not_found' });
    expect(await stage.auditLog()).toEqual([]);
  });

  it('never a card that is not Fulfilled', async () => {
    await run();
    await stage.fault('agcod', { kind: 'refunded' });
    expect(await show()).toEqual({ ok: false, reason: 'cancelled' });
  });

  it('not while calls are stopped or Amazon is silent', async () => {
    await run();
    await stage.fault('agcod', { kind: 'drop-before' });
    expect(await show()).toEqual({ ok: false, reason: 'unavailable' });
  });
});
