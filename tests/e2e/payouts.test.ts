import { beforeAll, describe, expect, inject, test } from 'vitest';
import { balanceOf, type Payout, payoutsOf, saleOf } from './support/books.ts';
import { type Creator, freshOrder, INSTANT, type Link, type Person } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
const MINUTE = 60_000;
let creator: Creator;
let link: Link;
beforeAll(async () => {
  creator = await on.creator();
  // Ten rupees of sale are ninety paise of commission: all of it the shopper's.
  link = await on.link(creator, INSTANT, '100.00');
  // Whatever an earlier file left payable is paid before a fault could strike it.
  await on.cron('payout');
});

/** A shopper whose confirmed balance is 9 % of the sale. */
async function earner(sale_amount: string): Promise<Person> {
  const shopper = await on.logIn();
  await earn(shopper, sale_amount);
  return shopper;
}

async function earn(shopper: Person, sale_amount: string): Promise<void> {
  const order = freshOrder();
  await on.buy({
    ...{ p1: await on.clickFor(shopper, link), campaign_id: INSTANT, publisher_id: creator.publisher_id },
    ...{ sale_amount, txn_id: order },
  });
  await until('the reward', () => saleOf(on, order));
  await until('its release', async () => {
    await on.cron('release');
    return (await saleOf(on, order))?.status === 'confirmed';
  });
}

const balance = (shopper: Person) => balanceOf(on, creator.tenant_id, shopper.user_id);
const vouchers = async ({ phone }: Person) => (await on.messages(phone)).filter(({ kind }) => kind === 'voucher');

/** The shopper's only payout. */
async function payoutOf(shopper: Person): Promise<Payout> {
  const [payout, another] = await payoutsOf(on, shopper.user_id);
  if (payout === undefined || another !== undefined) throw new Error('not exactly one payout');
  return payout;
}

/** The next attempt is due now. */
async function makeDue({ payout_id }: Payout): Promise<void> {
  await on.sql('update payouts set next_attempt_at = now() where payout_id = $1', [payout_id]);
}

/** The gateway has reported that of a message with the voucher. */
async function isReported({ payout_id }: Payout, delivery: string): Promise<boolean> {
  const rows = await on.sql('select 1 from voucher_messages where payout_id = $1 and delivery = $2', [
    payout_id,
    delivery,
  ]);
  return rows.length > 0;
}

/** Minutes from now to the payout's next attempt. */
const minutesLeft = ({ next_attempt_at }: Payout): number => (Date.parse(next_attempt_at) - Date.now()) / MINUTE;

describe('what is paid', () => {
  test('below the minimum nothing; what comes on top reaches it', async () => {
    const shopper = await earner('1100.00');
    await on.cron('payout');
    expect(await payoutsOf(on, shopper.user_id)).toEqual([]);
    expect(await balance(shopper)).toMatchObject({ available: '99.00' });
    await earn(shopper, '100.00');
    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'paid', amount: '108.00' });
  });

  test('a balance above the largest card is several cards, none above it', async () => {
    const shopper = await earner('250000.00');
    await on.cron('payout');
    const paid = (await payoutsOf(on, shopper.user_id)).map(({ amount, status }) => `${amount} ${status}`);
    expect(paid).toEqual(['10000.00 paid', '10000.00 paid', '2500.00 paid']);
    expect(await vouchers(shopper)).toHaveLength(3);
    expect(await balance(shopper)).toMatchObject({ available: '0.00', reserved: '0.00' });
  });

  test('twenty runs at once pay everybody once', async () => {
    const shoppers = await Promise.all(Array.from({ length: 5 }, () => earner('3000.00')));
    await Promise.all(Array.from({ length: 20 }, () => on.cron('payout')));
    for (const shopper of shoppers) {
      const payout = await payoutOf(shopper);
      expect(payout).toMatchObject({ status: 'paid', amount: '270.00' });
      expect(await on.cards(payout.creation_request_id)).toHaveLength(1);
      expect(await on.calls(payout.creation_request_id)).toBe(1);
      expect(await vouchers(shopper)).toHaveLength(1);
    }
  });
});

describe('when AGCOD fails', () => {
  test('an answer that is lost leaves the outcome unknown: the same id again finds the one card', async () => {
    const shopper = await earner('2000.00');
    await on.agcodFault({ kind: 'drop-after' });
    await on.cron('payout');
    const lost = await payoutOf(shopper);
    expect(lost).toMatchObject({ status: 'sending', attempts: '1', gc_id: null });
    expect(await balance(shopper)).toMatchObject({ available: '0.00', reserved: '180.00' });
    const [card] = await on.cards(lost.creation_request_id);
    expect(card).toMatchObject({ status: 'Fulfilled', amount: '180.00' });
    // Not before its time.
    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'sending', attempts: '1' });

    await makeDue(lost);
    await on.cron('payout');
    const paid = await payoutOf(shopper);
    expect(paid).toMatchObject({ status: 'paid', attempts: '2', gc_id: card?.gcId, voucher_code: null });
    expect(paid.creation_request_id).toBe(lost.creation_request_id);
    expect(await on.cards(lost.creation_request_id)).toHaveLength(1);
    expect((await vouchers(shopper)).map(({ text }) => text.includes(card?.claimCode ?? '-'))).toEqual([true]);
  });

  test('it is asked again after 3, 5, 15, then every 56 minutes; the tenth failure is error_soft; the night finds the card', async () => {
    const shopper = await earner('2000.00');
    const delays: number[] = [];
    await on.agcodFault({ kind: 'http-500', times: 10 });
    await on.cron('payout');
    const first = await payoutOf(shopper);
    for (let attempt = 1; attempt < 10; attempt++) {
      const payout = await payoutOf(shopper);
      expect(payout).toMatchObject({ status: 'sending', attempts: String(attempt) });
      delays.push(Math.round(minutesLeft(payout) * 10) / 10);
      await makeDue(payout);
      await on.cron('payout');
    }
    expect(delays).toEqual([3, 5, 15, ...Array(6).fill(expect.closeTo(56.2, 0))]);
    expect(await payoutOf(shopper)).toMatchObject({ status: 'error_soft', attempts: '10' });
    expect(await on.agcodFaultsLeft()).toBe(0);
    expect(await balance(shopper)).toMatchObject({ available: '0.00', reserved: '180.00' });

    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'error_soft' });
    await on.cron('nightly-retry');
    const paid = await payoutOf(shopper);
    expect(paid).toMatchObject({ status: 'paid', amount: '180.00' });
    expect(paid.creation_request_id).toBe(first.creation_request_id);
    expect(await on.cards(first.creation_request_id)).toHaveLength(1);
  });

  test('an account without funds holds everything; nobody’s attempt is used up, and it resumes with the same ids', async () => {
    const [one, two] = [await earner('2000.00'), await earner('2100.00')];
    await on.agcodFault({ kind: 'error', errorCode: 'F300', errorType: 'InsufficientFunds', times: 1 });
    // One call at a time meets the trouble first; the others may still be under way.
    await on.cron('payout');
    const held = [await payoutOf(one), await payoutOf(two)];
    const statuses = held.map(({ status }) => status);
    expect(statuses).toContain('held');
    for (const shopper of [one, two]) expect(Number((await balance(shopper)).available)).toBe(0);
    const third = await earner('2200.00');
    await until('everybody paid', async () => {
      await on.cron('payout');
      const now = await Promise.all([one, two, third].map(payoutOf));
      return now.every(({ status }) => status === 'paid');
    });
    expect((await payoutOf(one)).creation_request_id).toBe(held[0]?.creation_request_id);
    expect((await payoutOf(two)).creation_request_id).toBe(held[1]?.creation_request_id);
    for (const shopper of [one, two, third]) {
      expect(await on.cards((await payoutOf(shopper)).creation_request_id)).toHaveLength(1);
      expect(await vouchers(shopper)).toHaveLength(1);
    }
  });

  test('a bad parameter as the first answer is error_hard: the money is back, and that payee waits for an operator', async () => {
    const shopper = await earner('2000.00');
    await on.agcodFault({ kind: 'error', errorCode: 'F200', errorType: 'InvalidAmountInput' });
    await on.cron('payout');
    const refused = await payoutOf(shopper);
    expect(refused).toMatchObject({ status: 'error_hard', attempts: '1', error_code: 'F200', gc_id: null });
    expect(await balance(shopper)).toMatchObject({ available: '180.00', reserved: '0.00' });
    expect(await on.cards(refused.creation_request_id)).toEqual([]);
    await makeDue(refused);
    await on.cron('payout');
    await on.cron('nightly-retry');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'error_hard', attempts: '1' });
    expect(await on.calls(refused.creation_request_id)).toBe(1);
  });

  test('a bad parameter after a lost answer proves nothing: the payout is kept, and the card found', async () => {
    const shopper = await earner('2000.00');
    await on.agcodFault({ kind: 'drop-after' });
    await on.cron('payout');
    const lost = await payoutOf(shopper);
    await on.agcodFault({ kind: 'error', errorCode: 'F200', errorType: 'InvalidAmountInput' });
    await makeDue(lost);
    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'sending', attempts: '2' });
    expect(await balance(shopper)).toMatchObject({ available: '0.00', reserved: '180.00' });
    await makeDue(lost);
    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'paid', attempts: '3' });
    expect(await on.cards(lost.creation_request_id)).toHaveLength(1);
  });

  test('throttling is a delay and no attempt', async () => {
    const shopper = await earner('2000.00');
    await on.agcodFault({ kind: 'throttle' });
    await on.cron('payout');
    const delayed = await payoutOf(shopper);
    expect(delayed).toMatchObject({ status: 'sending', attempts: '0' });
    expect(minutesLeft(delayed)).toBeLessThan(1);
    await makeDue(delayed);
    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'paid', attempts: '1' });
  });

  test('a card that Amazon refunded is never delivered, and its money is back', async () => {
    const shopper = await earner('2000.00');
    await on.agcodFault({ kind: 'refunded' });
    await on.cron('payout');
    const refunded = await payoutOf(shopper);
    expect(refunded).toMatchObject({ status: 'cancelled', voucher_code: null });
    expect(await vouchers(shopper)).toEqual([]);
    expect(await balance(shopper)).toMatchObject({ available: '180.00', reserved: '0.00' });
  });
});

describe('when the SMS gateway fails', () => {
  test('the card stays issued with its code encrypted, and is delivered at the next try', async () => {
    const shopper = await earner('2000.00');
    await on.smsFault({ kind: 'error', to: shopper.phone });
    await on.cron('payout');
    const issued = await payoutOf(shopper);
    expect(issued).toMatchObject({ status: 'issued', attempts: '1', gc_id: expect.any(String) });
    const [card] = await on.cards(issued.creation_request_id);
    expect(issued.voucher_code).toMatch(/\S/);
    expect(issued.voucher_code).not.toContain(card?.claimCode);
    expect(await vouchers(shopper)).toEqual([]);
    expect(minutesLeft(issued)).toBeCloseTo(1, 0);

    await makeDue(issued);
    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'paid', attempts: '1', voucher_code: null });
    const [sms, another] = await vouchers(shopper);
    expect(sms?.text).toContain(card?.claimCode);
    expect(another).toBeUndefined();
    expect(await on.calls(issued.creation_request_id)).toBe(1);
  });

  test('fault 42: it took the SMS and its answer is lost; its report ends the sending, without another SMS', async () => {
    const shopper = await earner('2000.00');
    await on.smsFault({ kind: 'drop-after', to: shopper.phone });
    await on.cron('payout');
    const issued = await payoutOf(shopper);
    expect(issued).toMatchObject({ status: 'issued', sms_attempts: '1' });
    await until('the report', () => isReported(issued, 'delivered'));
    await makeDue(issued);
    await on.cron('payout');
    expect(await payoutOf(shopper)).toMatchObject({ status: 'paid', sms_attempts: '1', voucher_code: null });
    expect(await vouchers(shopper)).toHaveLength(1);
  });

  test('a voucher that it reports as not delivered is found by operators and sent once more: the same card', async () => {
    const shopper = await earner('2000.00');
    await on.smsFault({ kind: 'undelivered', to: shopper.phone });
    await on.cron('payout');
    const paid = await payoutOf(shopper);
    expect(paid).toMatchObject({ status: 'paid', voucher_code: null });
    await until('the report', () => isReported(paid, 'failed'));
    const token = inject('operatorToken');
    const path = `/v1/payouts?user_id=${shopper.user_id}&delivery=failed`;
    expect((await on.call('GET', path, { token })).json).toMatchObject([{ payout_id: paid.payout_id }]);
    const resend = (by: string) =>
      on.call('POST', `/v1/payouts/${paid.payout_id}/resend`, { token: by, json: { reason: 'not arrived' } });
    expect((await resend(shopper.token)).status).toBe(403);
    expect(await resend(token)).toMatchObject({ status: 200, json: { status: 'sent' } });
    expect((await resend(token)).status).toBe(409);
    await until('the report', () => isReported(paid, 'delivered'));
    const [first, second, third] = await vouchers(shopper);
    expect([second?.text, third]).toEqual([first?.text, undefined]);
    expect(await on.cards(paid.creation_request_id)).toHaveLength(1);
    expect((await on.call('GET', path, { token })).json).toEqual([]);
  });
});
