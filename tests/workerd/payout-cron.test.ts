import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { bindings, deliver, fire, messagesTo, openStage, postbackMessage, type Stage } from './support/stage.ts';

const RELEASE = '*/5 * * * *';
const PAYOUT = '* * * * *';
let on: Stage;
beforeEach(async () => {
  on = await openStage();
});
afterEach(() => on.close());

type Payout = {
  payout_id: string;
  status: string;
  amount: string;
  voucher_code: string | null;
  creation_request_id: string;
};

async function confirmedReward(): Promise<{ userId: string; phone: string }> {
  const shopper = await on.shopper();
  const sale = { ...on.sale(await on.reference(shopper.visitorId), 'ORDER'), sale_amount: '5000.00' };
  await deliver('hissaback-postbacks', [postbackMessage(sale)]);
  await fire(RELEASE);
  expect((await on.rewards()).map(({ status }) => status)).toEqual(['confirmed']);
  return shopper;
}

const payoutsOf = (userId: string) =>
  on.rows<Payout>(
    'select payout_id, status, amount, voucher_code, creation_request_id from payouts where user_id = $1',
    [userId],
  );
const cardsOf = async (creationRequestId: string) => {
  const url = `${inject('outside').agcod}/__control/cards?creationRequestId=${creationRequestId}`;
  return ((await (await fetch(url)).json()) as { cards: { amount: string; status: string; claimCode: string }[] })
    .cards;
};

test('the crons release a reward, buy its voucher with a signature that AGCOD takes, and send it', async () => {
  const { userId, phone } = await confirmedReward();
  await fire(PAYOUT);
  const [payout, another] = await payoutsOf(userId);
  expect(another).toBeUndefined();
  expect(payout).toMatchObject({ status: 'paid', amount: '250.00', voucher_code: null });
  const cards = await cardsOf(payout?.creation_request_id ?? '');
  expect(cards).toMatchObject([{ amount: '250.00', status: 'Fulfilled' }]);
  const [message] = await messagesTo(phone);
  expect(message?.text).toContain(cards[0]?.claimCode);
  const intents = await bindings.EVIDENCE.list({ prefix: 'payout-intents/' });
  const keys = intents.objects.map(({ key }) => key);
  expect(keys.some((key) => key.includes(payout?.payout_id ?? 'none'))).toBe(true);
});

test('two runs at once in one isolate buy one card, paced by one object', async () => {
  const { userId } = await confirmedReward();
  await Promise.all([fire(PAYOUT), fire(PAYOUT)]);
  const payouts = await payoutsOf(userId);
  expect(payouts).toMatchObject([{ status: 'paid', amount: '250.00' }]);
  expect(await cardsOf(payouts[0]?.creation_request_id ?? '')).toHaveLength(1);
});

test('a cron that nobody wrote down is an error, not a silence', async () => {
  await expect(fire('1 2 3 4 5')).rejects.toThrow('no schedule');
});
