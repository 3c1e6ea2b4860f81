import type { ResendVoucher } from '@hissaback/shared/contracts/payout-calls';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { PayoutDeps } from './deps.ts';
import { payout } from './payout.ts';
import { resendVoucher } from './resend-voucher.ts';
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
  shopper = await stage.shopper();
  operatorId = await stage.operator();
});
afterAll(() => stage.close());

async function run(wait = 0, changes: Partial<PayoutDeps> = {}) {
  stage.clock.advance(wait);
  return stage.run(payout, changes);
}

async function paid(): Promise<string> {
  await stage.reward(shopper, '500.00');
  await run();
  const row = await stage.onlyPayout();
  expect(row.status).toBe('paid');
  return row.payout_id;
}

const resend = (payoutId: string, changes: Partial<ResendVoucher> = {}, deps: Partial<PayoutDeps> = {}) =>
  stage.run((given) => resendVoucher(given, { payoutId, operatorId, reason: 'not arrived', ...changes }), deps);
const report = (reference: string, status: string, more = {}) => stage.reports({ CRQID: reference, status, ...more });
async function messages(): Promise<Record<string, unknown>[]> {
  const { rows } = await stage.owner.query(
    'select number, status, reason, message_id, delivery, delivery_reason, requested_by from voucher_messages order by number',
  );
  return rows;
}
const texts = async () => (await stage.messages(shopper)).map(({ text }) => text);

describe('delivery reports', () => {
  it('each sending is written down with the gateway’s id, and what the gateway reports of it, by reference or id, in any order and as often as it likes', async () => {
    const payoutId = await paid();
    const [sent] = await stage.messages(shopper);
    const accepted = { number: 1, status: 'accepted', reason: null, message_id: sent?.id, requested_by: null };
    expect(await messages()).toEqual([{ ...accepted, delivery: null, delivery_reason: null }]);
    expect(await stage.reports({ requestId: sent?.id, status: '2', desc: 'REJECTED' })).toBe(1);
    expect(await messages()).toEqual([{ ...accepted, delivery: 'failed', delivery_reason: 'REJECTED' }]);
    expect(await report(`${payoutId}-1`, '2', { desc: 'OTHER' })).toBe(0);
    expect(await report(`${payoutId}-1`, '1')).toBe(1);
    const delivered = [{ ...accepted, delivery: 'delivered', delivery_reason: null }];
    expect(await messages()).toEqual(delivered);
    for (const status of ['1', '2', '16', 'submitted']) expect(await report(`${payoutId}-1`, status)).toBe(0);
    expect(await messages()).toEqual(delivered);
  });

  it('fifty of them at once, in two orders: one state', async () => {
    const payoutId = await paid();
    const both = [
      { CRQID: `${payoutId}-1`, status: '2' },
      { CRQID: `${payoutId}-1`, status: '1' },
    ];
    await Promise.all(Array.from({ length: 50 }, (_, index) => stage.reports(index % 2 ? both : both.toReversed())));
    expect(await messages()).toMatchObject([{ delivery: 'delivered' }]);
  });

  it('unknown ids and references change nothing', async () => {
    const payoutId = await paid();
    expect(await stage.reports({ requestId: 'nobody', status: '1' })).toBe(0);
    expect(await report(`${payoutId}-2`, '1')).toBe(0);
    expect(await report('tracked-c1', '1')).toBe(0);
    expect(await messages()).toMatchObject([{ delivery: null }]);
  });

  it('a notification keeps the gateway’s id and its delivery too', async () => {
    stage.settings = { ...stage.settings, NOTIFICATIONS: 'on' };
    await run();
    await paid();
    await run(MINUTE);
    const sent = (await stage.messages(shopper)).find(({ kind }) => kind === 'paid');
    const notification = async () =>
      (await stage.owner.query(`select * from notifications where kind = 'paid'`)).rows[0];
    expect(await notification()).toMatchObject({ status: 'sent', message_id: sent?.id, delivery: null });
    expect(await report(sent?.reference ?? '', '17', { desc: 'Blocked number' })).toBe(1);
    expect(await notification()).toMatchObject({ delivery: 'failed', delivery_reason: 'Blocked number' });
    expect(await stage.reports({ requestId: sent?.id, status: 'delivered' })).toBe(1);
    expect(await notification()).toMatchObject({ status: 'sent', delivery: 'delivered', delivery_reason: null });
  });
});

describe('fault 42: the gateway took the SMS, and its answer is lost', () => {
  it('reported as arrived: paid and erased without another SMS', async () => {
    await stage.reward(shopper, '500.00');
    await stage.fault('sms', { kind: 'drop-after' });
    await run();
    const row = await stage.onlyPayout();
    expect(row).toMatchObject({ status: 'issued', sms_attempts: 1 });
    expect(row.voucher_code).not.toBeNull();
    expect(await messages()).toMatchObject([{ status: 'unknown', message_id: null }]);
    await report(`${row.payout_id}-1`, '1');
    expect(await run(MINUTE)).toMatchObject({ paid: 1 });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', voucher_code: null, sms_attempts: 1 });
    expect(await texts()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it.each(['no report', 'a report that it failed'])('%s: one more with the same code, then erased', async (what) => {
    await stage.reward(shopper, '500.00');
    await stage.fault('sms', { kind: 'drop-after' });
    await run();
    const { payout_id } = await stage.onlyPayout();
    if (what !== 'no report') await report(`${payout_id}-1`, '2');
    expect(await run(MINUTE)).toMatchObject({ paid: 1 });
    await run(MINUTE);
    expect(new Set(await texts())).toHaveProperty('size', 1);
    expect(await texts()).toHaveLength(2);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', voucher_code: null });
    expect(await messages()).toMatchObject([{ status: 'unknown' }, { status: 'accepted' }]);
  });
});

describe('a voucher that did not arrive', () => {
  it('is paged for once, sent once more by an operator with the same card, and the page ends', async () => {
    const payoutId = await paid();
    await report(`${payoutId}-1`, '2', { desc: 'ABSENT SUBSCRIBER' });
    await run(MINUTE);
    await run(MINUTE);
    const pages = async () =>
      (await stage.pages()).map(({ dedup_key, event_action }) => `${event_action} ${dedup_key}`);
    expect(await pages()).toEqual(['trigger vouchers-undelivered']);
    expect(await resend(payoutId)).toEqual({ ok: true });
    const [first, second] = await texts();
    expect(second).toBe(first);
    expect((await stage.messages(shopper)).map(({ reference }) => reference)).toEqual([
      `${payoutId}-1`,
      `${payoutId}-2`,
    ]);
    expect(await messages()).toMatchObject([
      { number: 1, delivery: 'failed', requested_by: null },
      { number: 2, status: 'accepted', delivery: null, requested_by: operatorId },
    ]);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', voucher_code: null, sms_attempts: 2 });
    expect(await stage.cards()).toHaveLength(1);
    expect(new Set((await stage.calls()).map(({ creationRequestId }) => creationRequestId)).size).toBe(1);
    expect((await stage.auditLog()).map(({ action, actor, reason }) => [action, actor, reason])).toEqual([
      ['payout.voucher_resend_asked', `user:${operatorId}`, 'not arrived'],
      ['payout.voucher_resent', `user:${operatorId}`, 'not arrived'],
    ]);
    await run(MINUTE);
    expect(await pages()).toEqual(['trigger vouchers-undelivered', 'resolve vouchers-undelivered']);
    expect(await stage.broken()).toEqual([]);
  });

  it('ten operators at once send one', async () => {
    const payoutId = await paid();
    await report(`${payoutId}-1`, '2');
    const results = await Promise.all(Array.from({ length: 10 }, () => resend(payoutId)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await texts()).toHaveLength(2);
    expect(await stage.cards()).toHaveLength(1);
  });

  it('is not sent where one arrived, within ten minutes without a report, before it is paid, or for nobody', async () => {
    await stage.reward(shopper, '500.00');
    await stage.fault('sms', { kind: 'error' });
    await run();
    const { payout_id: payoutId } = await stage.onlyPayout();
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'wrong_status' });
    await run(MINUTE);
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'report_awaited' });
    expect(await resend(payoutId, { operatorId: shopper.userId })).toEqual({ ok: false, reason: 'not_operator' });
    expect(await resend('11111111-1111-4111-8111-111111111111')).toEqual({ ok: false, reason: 'not_found' });
    await report(`${payoutId}-2`, '1');
    stage.clock.advance(60 * MINUTE);
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'delivered_already' });
    await stage.owner.query('update voucher_messages set delivery = null, delivery_at = null');
    await stage.owner.query('update users set phone = null where user_id = $1', [shopper.userId]);
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'no_phone' });
    expect(await texts()).toHaveLength(1);
    expect(await stage.auditLog()).toEqual([]);
  });

  it('is not sent while a kill switch is thrown, Amazon is silent, or its card is cancelled', async () => {
    const payoutId = await paid();
    await report(`${payoutId}-1`, '2');
    await stage.owner.query(
      `insert into kill_switches (switch_id, scope, reason, thrown_at, thrown_by) values (gen_random_uuid(), 'payouts', 'test', now(), $1)`,
      [operatorId],
    );
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'unavailable' });
    await stage.owner.query('update kill_switches set cleared_at = now(), cleared_by = thrown_by');
    await stage.fault('agcod', { kind: 'http-500' });
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'unavailable' });
    await stage.fault('agcod', { kind: 'refunded' });
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'card_cancelled' });
    expect(await texts()).toHaveLength(1);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
  });

  it('a gateway that refuses or is silent: told so, kept as not sent, and no code is left anywhere', async () => {
    const payoutId = await paid();
    const [card] = await stage.cards();
    await report(`${payoutId}-1`, '2');
    const written = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const failed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await stage.fault('sms', { kind: 'error' });
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'not_sent' });
    await stage.fault('sms', { kind: 'drop-before' });
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'not_sent' });
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'report_awaited' });
    const lines = JSON.stringify([written.mock.calls, failed.mock.calls]);
    vi.restoreAllMocks();
    expect(await messages()).toMatchObject([
      { delivery: 'failed' },
      { status: 'refused', reason: 'refused' },
      { status: 'unknown', reason: 'unreachable' },
    ]);
    const kept = await stage.owner.query(
      'select to_jsonb(p)::text as a from payouts p union all select to_jsonb(m)::text from voucher_messages m union all select to_jsonb(l)::text from audit_log l',
    );
    for (const text of [lines, ...kept.rows.map(({ a }) => a)]) {
      expect(text).not.toContain(card?.claimCode);
      expect(text).not.toContain(shopper.phone.slice(1));
    }
    stage.clock.advance(10 * MINUTE);
    expect(await resend(payoutId)).toEqual({ ok: true });
    expect(await stage.cards()).toHaveLength(1);
  });

  it('a sender that died in the middle is no obstacle after a minute', async () => {
    const payoutId = await paid();
    await report(`${payoutId}-1`, '2');
    const dies = async (input: string | URL, init: RequestInit) => {
      if (String(input).includes('/api/v5/')) throw Object.assign(new Error('died'), { name: 'Died' });
      return fetch(input, init);
    };
    let isDead = false;
    const deps = stage.deps({ fetch: dies });
    const db = { ...deps.db, transaction: deps.db.transaction.bind(deps.db) };
    const dying: typeof db.transaction = async (work) => {
      if (isDead) throw new Error('died');
      isDead = true;
      return deps.db.transaction(work);
    };
    await expect(
      resendVoucher({ ...deps, db: { ...db, transaction: dying } }, { payoutId, operatorId, reason: 'dies' }),
    ).rejects.toThrow('died');
    await deps.db.end();
    expect(await messages()).toMatchObject([{ number: 1 }, { number: 2, status: 'sending' }]);
    expect(await resend(payoutId)).toEqual({ ok: false, reason: 'under_way' });
    stage.clock.advance(MINUTE);
    expect(await resend(payoutId)).toEqual({ ok: true });
  });
});
