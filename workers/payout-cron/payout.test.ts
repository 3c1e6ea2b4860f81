import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { nightlyRetry } from './nightly-retry.ts';
import { payout } from './payout.ts';
import { reserveAll } from './reserve.ts';
import { beginRun, noCounts } from './run.ts';
import { type Shopper, Stage } from './stage.fake.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(() => stage.reset());
afterAll(() => stage.close());

async function shopperWith(amount = '500.00', language = 'en'): Promise<Shopper> {
  const shopper = await stage.shopper({ language });
  await stage.reward(shopper, amount);
  return shopper;
}

/** One run, `wait` milliseconds later. */
async function run(wait = 0, changes: Parameters<Stage['deps']>[0] = {}) {
  stage.clock.advance(wait);
  return stage.run(payout, changes);
}

const ids = async () => (await stage.calls()).map(({ creationRequestId }) => creationRequestId);

describe('a payout without faults', () => {
  it('is reserved, bought, delivered and paid in one run, and its code is erased', async () => {
    const shopper = await stage.shopper();
    const first = await stage.reward(shopper, '300.00');
    const second = await stage.reward(shopper, '200.50');
    expect(await run()).toEqual({ reserved: 1, issued: 1, paid: 1, retried: 0, held: 0, failed: 0 });
    const row = await stage.onlyPayout();
    const [card] = await stage.cards();
    expect(row).toMatchObject({
      status: 'paid',
      amount: '500.00',
      voucher_code: null,
      gc_id: card?.gcId,
      sms_attempts: 1,
    });
    expect(await stage.account(shopper)).toEqual({ available: '0.50', reserved: '0.00', receivable: '0.00' });
    const [message, another] = await stage.messages(shopper);
    expect(another).toBeUndefined();
    expect(message).toMatchObject({ kind: 'voucher', reference: `${row.payout_id}-1` });
    expect(message?.text).toContain(card?.claimCode);
    expect(message?.text).toContain('Rs 500.00');
    // Money rule 12: the second reward still has 0.50 to be paid.
    expect(await stage.ledgerStatuses(first)).toEqual(['paid']);
    expect(await stage.ledgerStatuses(second)).toEqual(['confirmed']);
    expect(await stage.broken()).toEqual([]);
    expect(await run(MINUTE)).toMatchObject({ reserved: 0, issued: 0, paid: 0 });
    expect(await stage.pages()).toEqual([]);
  });

  it('money rule 12: a reward is paid only when all payouts that pay it are; its amendments with it', async () => {
    const shopper = await stage.shopper();
    const conv = await stage.reward(shopper, '12000.00', '-1500.00');
    await stage.fault('sms', { kind: 'error' });
    await run();
    expect((await stage.payouts()).map(({ status }) => status).sort()).toEqual(['issued', 'paid']);
    expect(await stage.ledgerStatuses(conv)).toEqual(['confirmed', 'confirmed']);
    await run(HOUR);
    expect(await stage.ledgerStatuses(conv)).toEqual(['paid', 'paid']);
    expect(await stage.broken()).toEqual([]);
  });

  it('speaks Hindi to whoever does', async () => {
    const shopper = await shopperWith('500.00', 'hi-IN');
    await run();
    expect((await stage.messages(shopper))[0]?.text).toContain('आपका कैशबैक');
  });

  it('money rule 17: the intent is in R2 before the first call, once', async () => {
    await shopperWith();
    stage.evidence.isDown = true;
    expect(await run()).toMatchObject({ reserved: 1, failed: 1, issued: 0 });
    expect(await ids()).toEqual([]);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'queued', card_may_exist: false });
    stage.evidence.isDown = false;
    await run(MINUTE);
    const row = await stage.onlyPayout();
    expect([...stage.evidence.objects.keys()]).toEqual([`payout-intents/2026-11-10/${row.payout_id}.json`]);
    const [intent = ''] = stage.evidence.objects.values();
    expect(JSON.parse(intent)).toMatchObject({
      payoutId: row.payout_id,
      payee: row.payee,
      amount: '500.00',
      creationRequestId: row.creation_request_id,
    });
  });
});

describe('answers that leave the outcome unknown', () => {
  it('fault 23: RESEND three times, then the card: one id, at 0, 3, 8 and 23 minutes', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'resend', times: 3 });
    expect(await run()).toMatchObject({ retried: 1 });
    for (const [early, wait] of [
      [2, 1],
      [4, 1],
      [14, 1],
    ] as const) {
      expect(await run(early * MINUTE)).toMatchObject({ retried: 0, issued: 0 });
      await run(wait * MINUTE);
    }
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 4 });
    expect(new Set(await ids()).size).toBe(1);
    expect(await ids()).toHaveLength(4);
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it.each([
    ['F500 after the card was made', { kind: 'error', errorCode: 'F500', creates: true }],
    ['F100', { kind: 'error', errorCode: 'F100' }],
    ['a page of HTML with status 500, the card made', { kind: 'http-500', creates: true }],
    ['half an answer', { kind: 'garbage', creates: true }],
    ['a connection lost after the card was made', { kind: 'drop-after' }],
    ['a connection lost before', { kind: 'drop-before' }],
  ])('faults 21, 22, 31: %s stays sending and is resolved by the same id', async (_, fault) => {
    const shopper = await shopperWith();
    await stage.fault('agcod', fault);
    expect(await run()).toMatchObject({ retried: 1, issued: 0, failed: 0 });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'sending', card_may_exist: true });
    expect(await stage.account(shopper)).toMatchObject({ reserved: '500.00', available: '0.00' });
    expect(await stage.broken()).toEqual([]);
    await run(3 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 2 });
    expect(await stage.cards()).toHaveLength(1);
    expect(new Set(await ids()).size).toBe(1);
    expect(await stage.messages(shopper)).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('fault 21: an answer later than 6 seconds is none', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'delay', ms: 8_000 });
    expect(await run()).toMatchObject({ retried: 1 });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'sending' });
    await run(3 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 2 });
    expect(await stage.cards()).toHaveLength(1);
  });

  it('spec section 5: after ten attempts in six hours error_soft; each night one more with the same id', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'error', errorCode: 'F500', times: 11 });
    const started = stage.clock.now();
    for (let minute = 0; minute <= 361; minute++) {
      await run();
      if ((await stage.onlyPayout()).status === 'error_soft') break;
      stage.clock.set((await stage.onlyPayout()).next_attempt_at.getTime());
    }
    expect(await stage.onlyPayout()).toMatchObject({ status: 'error_soft', attempts: 10 });
    // Each attempt may have waited for its slot.
    expect(stage.clock.now() - started).toBeGreaterThanOrEqual(6 * HOUR);
    expect(stage.clock.now() - started).toBeLessThan(6 * HOUR + 5_000);
    expect(await run(HOUR)).toMatchObject({ retried: 0 });
    stage.clock.advance(HOUR);
    expect(await stage.run(nightlyRetry)).toMatchObject({ retried: 1 });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'error_soft', attempts: 11 });
    stage.clock.advance(24 * HOUR);
    expect(await stage.run(nightlyRetry)).toMatchObject({ issued: 1, paid: 1 });
    expect(new Set(await ids()).size).toBe(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('money rule 15: an unknown outcome of over 24 hours pages, once', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'error', errorCode: 'F500', times: 50 });
    await run();
    await stage.owner.query('update payouts set next_attempt_at = $1', [new Date(stage.clock.now() + 72 * HOUR)]);
    await run(23 * HOUR);
    expect(await stage.pages()).toEqual([]);
    await run(2 * HOUR);
    await run(MINUTE);
    expect((await stage.pages()).map((page) => page.dedup_key)).toEqual(['payouts-unknown']);
  });
});

describe('fault 24: throttling', () => {
  it('delays and is not counted as an attempt', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'throttle' });
    expect(await run()).toMatchObject({ retried: 1 });
    const row = await stage.onlyPayout();
    expect(row).toMatchObject({ status: 'sending', attempts: 0 });
    const delay = row.next_attempt_at.getTime() - stage.clock.now();
    expect(delay).toBeGreaterThanOrEqual(15_000 - 1_000);
    expect(delay).toBeLessThanOrEqual(30_000);
    await run(30_000);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 1 });
  });
});

describe('faults 25, 35, 36: trouble with the partner account', () => {
  it('fault 25: holds everything, pages once, and resumes with the same ids when the oldest is answered', async () => {
    const shoppers = [await shopperWith(), await shopperWith(), await shopperWith()];
    await stage.control('agcod', 'funds', { amount: '100.00' });
    const counts = await run();
    expect(counts.held).toBeGreaterThanOrEqual(1);
    const held = (await stage.payouts()).filter(({ status }) => status === 'held');
    const before = (await ids()).length;
    for (let minute = 1; minute < 5; minute++) await run(MINUTE);
    expect((await ids()).length).toBe(before);
    for (const shopper of shoppers) expect(await stage.account(shopper)).toMatchObject({ reserved: '500.00' });
    expect((await stage.pages()).filter((page) => page.dedup_key === 'agcod-breaker')).toHaveLength(1);

    await run(MINUTE);
    expect((await ids()).length).toBe(before + 1);
    const oldest = held.sort((a, b) => a.payout_id.localeCompare(b.payout_id))[0];
    expect((await ids()).at(-1)).toBe(oldest?.creation_request_id);
    expect((await stage.pages()).filter((page) => page.dedup_key === 'agcod-breaker')).toHaveLength(1);

    await stage.control('agcod', 'funds', { amount: '100000.00' });
    await run(5 * MINUTE);
    expect((await stage.payouts()).map(({ status }) => status)).toEqual(['paid', 'paid', 'paid']);
    expect(await stage.cards()).toHaveLength(3);
    expect((await stage.pages()).at(-1)).toMatchObject({ dedup_key: 'agcod-breaker', event_action: 'resolve' });
    expect(await stage.broken()).toEqual([]);
  });

  it('money rule 16: the probe is the oldest held payout, whenever it would be due; when it is answered all others are due', async () => {
    for (let index = 0; index < 3; index++) {
      await shopperWith();
      stage.clock.advance(1_000);
      await stage.run((deps) => reserveAll(beginRun(deps), noCounts()));
    }
    await stage.owner.query(
      `update payouts set status = 'held', card_may_exist = true, attempts = 1, next_attempt_at = $1::timestamptz
      - (created_at - $1::timestamptz) + interval '1 day'`,
      [new Date(stage.clock.now())],
    );
    const oldestFirst = (await stage.payouts()).map((payout) => payout.creation_request_id);
    const trouble = { purpose: 'call', sign: 'trouble', payoutId: null, holdForMs: 5 * MINUTE } as const;
    await stage.gate.report(trouble, stage.clock.now());
    expect(await run(5 * MINUTE)).toMatchObject({ issued: 3, paid: 3 });
    expect((await ids())[0]).toBe(oldestFirst[0]);
    expect(await stage.cards()).toHaveLength(3);
  });

  it('a held payout that is made due is probed with at once; when that fails everything held waits its time again', async () => {
    for (let index = 0; index < 3; index++) await shopperWith();
    await stage.control('agcod', 'funds', { amount: '100.00' });
    await run();
    const before = (await ids()).length;
    const makeDue = (payoutId?: string) =>
      stage.owner.query('update payouts set next_attempt_at = $1 where payout_id = coalesce($2, payout_id)', [
        new Date(stage.clock.now()),
        payoutId ?? null,
      ]);
    stage.clock.advance(1);
    await makeDue();
    await Promise.all(Array.from({ length: 5 }, () => stage.run(payout)));
    expect((await ids()).length).toBe(before + 1);
    await run(MINUTE);
    expect((await ids()).length).toBe(before + 1);
    await stage.control('agcod', 'funds', { amount: '100000.00' });
    await makeDue((await stage.payouts()).find(({ status }) => status === 'held')?.payout_id);
    await run();
    await run(MINUTE);
    expect((await stage.payouts()).map(({ status }) => status)).toEqual(['paid', 'paid', 'paid']);
    expect(await stage.cards()).toHaveLength(3);
    expect(await stage.broken()).toEqual([]);
  });

  it('a breaker that could not be paged about is paged about by the next run', async () => {
    await shopperWith();
    await stage.control('agcod', 'funds', { amount: '100.00' });
    await stage.fault('pager', { kind: 'http-500', times: 2 });
    await run();
    expect(await stage.pages()).toEqual([]);
    await run(MINUTE);
    expect((await stage.pages()).map((page) => page.dedup_key)).toEqual(['agcod-breaker']);
  });

  it('vouchers bought already are delivered while the breaker is open', async () => {
    const shopper = await shopperWith();
    await stage.fault('sms', { kind: 'http-500' });
    await run();
    await shopperWith();
    await stage.control('agcod', 'funds', { amount: '0.00' });
    expect(await run(MINUTE / 2)).toMatchObject({ held: 1 });
    expect(await run(MINUTE)).toMatchObject({ paid: 1 });
    expect(await stage.messages(shopper)).toHaveLength(1);
  });

  it('fault 35: a clock that is off by more than 5 minutes is a configuration alarm, not a failed payout', async () => {
    await shopperWith();
    await stage.control('agcod', 'clock', { offset_ms: 10 * MINUTE, scope: 'service' });
    expect(await run()).toMatchObject({ held: 1, failed: 0 });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'held', error_type: 'InvalidSignatureException' });
    expect((await stage.pages()).map((page) => page.dedup_key)).toContain('agcod-breaker');
    await stage.control('agcod', 'clock', { offset_ms: 0, scope: 'service' });
    await run(5 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.cards()).toHaveLength(1);
  });

  it('fault 36: a secret rotated during retries: the same id with the new key', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'drop-after' });
    await run();
    const rotated = { accessKeyId: 'AKIANEW', secretAccessKey: 'new-secret' };
    await stage.control('agcod', 'credentials', rotated);
    await run(3 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'held' });
    stage.settings = {
      ...stage.settings,
      AGCOD_ACCESS_KEY_ID: rotated.accessKeyId,
      AGCOD_SECRET_ACCESS_KEY: rotated.secretAccessKey,
    };
    await run(5 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(new Set(await ids()).size).toBe(1);
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });
});

describe('fault 26: input errors', () => {
  it.each(['MaxAmountExceeded', 'CurrencyCodeMismatch', 'FractionalAmountNotAllowed'])(
    'F200 %s as the first answer: error_hard, reservation returned exactly once, payee blocked, no retry',
    async (errorType) => {
      const shopper = await shopperWith();
      await stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType, times: 5 });
      expect(await run()).toMatchObject({ reserved: 1, failed: 1 });
      expect(await stage.onlyPayout()).toMatchObject({
        status: 'error_hard',
        card_may_exist: false,
        error_type: errorType,
      });
      expect(await stage.account(shopper)).toEqual({ available: '500.00', reserved: '0.00', receivable: '0.00' });
      await run(24 * HOUR);
      expect(await stage.calls()).toHaveLength(1);
      expect(await stage.payouts()).toHaveLength(1);
      expect((await stage.pages()).map((page) => page.dedup_key)).toEqual([
        `payout:${(await stage.onlyPayout()).payout_id}:refused`,
      ]);
      expect(await stage.broken()).toEqual([]);
      // Resolved by an operator: the money is paid under a new id.
      await stage.control('agcod', 'reset', {});
      await stage.owner.query('update payouts set resolved_at = now()');
      expect(await run(MINUTE)).toMatchObject({ reserved: 1, paid: 1 });
      expect(await stage.broken()).toEqual([]);
    },
  );

  it('money rule 14: of a payee with an unresolved one nothing more is begun, not even what is queued already', async () => {
    const shopper = await shopperWith('25000.00');
    const other = await shopperWith('200.00');
    await stage.run((deps) => reserveAll(beginRun(deps), noCounts()));
    await stage.owner.query(
      `update payouts set next_attempt_at = next_attempt_at + interval '5 seconds' where payout_id <> (select min(payout_id::text)::uuid from payouts where payee = $1)`,
      [shopper.userId],
    );
    await stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType: 'MaxAmountExceeded' });
    await run();
    await run(MINUTE);
    const own = async () => (await stage.payouts()).filter(({ payee }) => payee === shopper.userId);
    expect((await own()).map(({ status }) => status).sort()).toEqual(['error_hard', 'queued', 'queued']);
    expect(await stage.messages(other)).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
    await stage.owner.query('update payouts set resolved_at = now() where status = $1', ['error_hard']);
    await run(MINUTE);
    expect((await own()).map(({ status }) => status).sort()).toEqual(['error_hard', 'paid', 'paid', 'paid']);
    expect(await stage.cards()).toHaveLength(4);
    expect(await stage.broken()).toEqual([]);
  });

  it('what is returned pays off what the payee owes first', async () => {
    const shopper = await shopperWith();
    await stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType: 'MaxAmountExceeded' });
    await stage.owner.query(`update payee_accounts set receivable = 120 where payee = $1`, [shopper.userId]);
    await stage.owner.query(
      `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
       values ('owed', 'shopper:receivable:' || $1 || ':' || $2, -120, 'INR', $1::uuid, 'reversal', now()),
              ('owed', 'network:' || $1, 120, 'INR', $1::uuid, 'reversal', now())`,
      [shopper.tenantId, shopper.userId],
    );
    await run();
    expect(await stage.account(shopper)).toEqual({ available: '380.00', reserved: '0.00', receivable: '0.00' });
    expect(await stage.broken()).toEqual([]);
  });
});

describe('fault 27: settings edited between attempts', () => {
  it('the amount, currency, partner and address of the row are used, not those of today', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'drop-after' });
    await run();
    const first = stage.settings;
    stage.settings = {
      ...first,
      AGCOD_CURRENCY: 'USD',
      AGCOD_PARTNER_ID: 'Other',
      AGCOD_REGION: 'us-east-1',
      AGCOD_ENDPOINT: 'http://127.0.0.1:1',
      VOUCHER_MAXIMUM: '50.00',
    };
    await run(3 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', amount: '500.00' });
    expect((await stage.calls()).map(({ amount, outcome }) => [amount, outcome])).toEqual([
      ['500', 'dropped'],
      ['500', 'SUCCESS'],
    ]);
    expect(await stage.cards()).toHaveLength(1);
  });
});

it('invariant I5: a card that another payout has is not believed, not even as a refund', async () => {
  await shopperWith();
  await run();
  const [card] = await stage.cards();
  for (const status of ['Fulfilled', 'RefundedToPurchaser']) {
    const shopper = await shopperWith();
    const lying: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (!String(input).endsWith('/CreateGiftCard')) return answer;
      const body = (await answer.json()) as { cardInfo: object };
      return Response.json({ ...body, gcId: card?.gcId, cardInfo: { ...body.cardInfo, cardStatus: status } });
    };
    expect(await run(MINUTE, { fetch: (input, init) => lying(input, init) })).toMatchObject({ retried: 1, failed: 0 });
    const own = (await stage.payouts()).find(({ payee }) => payee === shopper.userId);
    expect(own).toMatchObject({ status: 'sending', error_type: 'CardOfAnotherPayout', gc_id: null });
    expect((await stage.pages()).at(-1)?.dedup_key).toBe(`payout:${own?.payout_id}:strange_answer`);
    expect(await stage.account(shopper)).toMatchObject({ reserved: '500.00' });
    await run(3 * MINUTE);
    expect(await stage.messages(shopper)).toHaveLength(1);
  }
  expect(await stage.cards()).toHaveLength(3);
  expect(await stage.broken()).toEqual([]);
});

describe('fault 28: a card cancelled at Amazon', () => {
  it('is not delivered; the payout is cancelled and its reservation returned once', async () => {
    const shopper = await shopperWith();
    await stage.fault('agcod', { kind: 'refunded' });
    expect(await run()).toMatchObject({ failed: 1, issued: 0 });
    expect(await stage.onlyPayout()).toMatchObject({ status: 'cancelled', card_may_exist: false, voucher_code: null });
    expect(await stage.messages(shopper)).toEqual([]);
    expect(await stage.account(shopper)).toEqual({ available: '500.00', reserved: '0.00', receivable: '0.00' });
    expect(await stage.broken()).toEqual([]);
    await run(MINUTE);
    expect((await stage.payouts()).map(({ status }) => status).sort()).toEqual(['cancelled', 'paid']);
    expect(new Set(await ids()).size).toBe(2);
    expect(await stage.broken()).toEqual([]);
  });
});

describe('fault 48: attempt 1 issued and its answer lost, attempt 2 refused', () => {
  it.each([
    ['an input error', 'MaxAmountExceeded', 'refused_later'],
    ['an amount mismatch', 'RequestedDenominationMismatch', 'mismatch'],
    ['an F200 nobody knows', 'SomethingNew', 'strange_answer'],
  ])('by %s: nothing is returned, operators are told, the same id resolves it', async (_, errorType, alarm) => {
    const shopper = await shopperWith();
    await stage.fault('agcod', { kind: 'drop-after' });
    await run();
    await stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType });
    await run(3 * MINUTE);
    const row = await stage.onlyPayout();
    expect(row).toMatchObject({ status: 'sending', card_may_exist: true, attempts: 2 });
    expect((await stage.pages()).map((page) => page.dedup_key)).toEqual([`payout:${row.payout_id}:${alarm}`]);
    expect(await stage.account(shopper)).toMatchObject({ reserved: '500.00', available: '0.00' });
    await run(5 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', attempts: 3 });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('by a signature error: held, then resolved by the same id', async () => {
    await shopperWith();
    await stage.fault('agcod', { kind: 'drop-after' });
    await run();
    await stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType: 'InvalidSignatureException' });
    await run(3 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'held', card_may_exist: true });
    await run(5 * MINUTE);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'paid' });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });
});

describe('fault 41: the SMS gateway fails after the card is issued', () => {
  it.each([
    ['refuses', { kind: 'error', times: 2 }, [MINUTE, 5 * MINUTE]],
    ['answers 500', { kind: 'http-500', times: 2 }, [MINUTE, 5 * MINUTE]],
    ['does not answer', { kind: 'drop-before', times: 2 }, [MINUTE, 5 * MINUTE]],
  ])(
    '%s: stays issued with its code encrypted, tried again with back-off, erased only after acceptance',
    async (_, fault, waits) => {
      const shopper = await shopperWith();
      await stage.fault('sms', fault);
      expect(await run()).toMatchObject({ issued: 1, paid: 0 });
      const [card] = await stage.cards();
      for (const wait of waits) {
        const row = await stage.onlyPayout();
        expect(row.status).toBe('issued');
        expect(row.voucher_code).toMatch(/^1\./);
        expect(row.voucher_code).not.toContain(card?.claimCode);
        expect(await run(wait - 2_000)).toMatchObject({ paid: 0 });
        await run(2_000);
      }
      expect(await stage.onlyPayout()).toMatchObject({ status: 'paid', voucher_code: null, sms_attempts: 3 });
      expect(await stage.messages(shopper)).toHaveLength(1);
      expect(await stage.calls()).toHaveLength(1);
      expect(await stage.broken()).toEqual([]);
    },
  );
});

describe('the balance at Amazon', () => {
  const funds = (amount: string) => stage.control('agcod', 'funds', { amount });
  const pages = async () =>
    (await stage.pages()).filter((page) => page.dedup_key === 'agcod-funds').map(({ event_action: action }) => action);

  it('is asked for before anything is bought, once by runs that begin together', async () => {
    await shopperWith();
    await Promise.all(Array.from({ length: 5 }, () => stage.run(payout)));
    const operations = (await stage.operations()).map(({ op }) => op);
    expect(operations).toEqual(['GetAvailableFunds', 'CreateGiftCard']);
  });

  it('operators are paged when it is below the setting: once, again after a day, and the page ends when it has risen', async () => {
    await funds('9999.99');
    for (let minute = 0; minute < 3; minute++) await run(MINUTE);
    expect(await pages()).toEqual(['trigger']);
    await run(24 * HOUR);
    expect(await pages()).toEqual(['trigger', 'trigger']);
    await funds('10000.00');
    for (let minute = 0; minute < 2; minute++) await run(MINUTE);
    expect(await pages()).toEqual(['trigger', 'trigger', 'resolve']);
    await funds('0.00');
    await run(MINUTE);
    expect(await pages()).toEqual(['trigger', 'trigger', 'resolve', 'trigger']);
  });

  it.each(['http-500', 'drop-before', 'throttle', 'error', 'garbage'])(
    'its absence (%s) stops no payout',
    async (kind) => {
      await shopperWith();
      await stage.fault('agcod', { kind, op: 'GetAvailableFunds', times: 5 });
      expect(await run()).toMatchObject({ paid: 1 });
      expect(await pages()).toEqual([]);
    },
  );
});
