import { randomInt, randomUUID } from 'node:crypto';
import { parsePhone } from '@hissaback/shared/domain/phone';
import type pg from 'pg';
import { INSTANT_LINK } from '../seed/data.ts';
import type { StackFile } from '../stack/stack-file.ts';
import { callJson, follow } from './http.ts';
import { check, step, until } from './step.ts';

const SALE = '5000.00';
/** 9 % of it, half and half. */
const REWARD = '225.00';

type Shopper = { phone: string; user_id: string; token: string };
type Message = { to: string; text: string; kind: string };
type LedgerRow = { led_id: string; user_amount: string; creator_amount: string; status: string };
type PayoutRow = {
  payout_id: string;
  amount: string;
  status: string;
  voucher_code: string | null;
  creation_request_id: string;
};

/** One purchase from the login to the voucher, as the outside world sees it; the database is only looked at. Throws StepFailed at the first thing amiss. */
export async function wholePurchase(stack: StackFile, database: pg.Client): Promise<void> {
  const shopper = await logIn(stack);
  const demoClick = await followDemoLink(stack);
  await counted(database, demoClick);
  const reference = await clickInOwnName(stack, shopper);
  await buy(stack, reference);
  const reward = await accrued(database, shopper);
  await released(stack, database, reward);
  const payout = await paid(stack, database, shopper);
  await voucherArrived(stack, shopper);
  await booksAreClosed(stack, database, shopper, reward, payout);
}

function logIn(stack: StackFile): Promise<Shopper> {
  return step('log in by a code in an SMS', 15_000, async (now) => {
    const phone = freshPhone();
    const url = (path: string) => `${stack.origin}/v1/auth/otp/${path}`;
    const call = { method: 'POST', signal: now.signal } as const;
    const { request_id } = await callJson<{ request_id: string }>(url('request'), { ...call, json: { phone } });
    const code = await until(now, 'the SMS with the code', async () => {
      const [message] = await messagesTo(stack, phone, now.signal);
      return /\b\d{6}\b/.exec(message?.text ?? '')?.[0];
    });
    const { jwt } = await callJson<{ jwt: string }>(url('verify'), { ...call, json: { request_id, code } });
    const { sub, role } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
    check(role === 'shopper', `a fresh phone logged in as ${role}`);
    return { value: { phone, user_id: sub, token: jwt }, says: `${phone} logged in with the code from the SMS` };
  });
}

function followDemoLink(stack: StackFile): Promise<bigint> {
  return step('follow the demo link', 5_000, async ({ signal }) => {
    const offer = await follow(stack.demo.smart_link, signal);
    const reference = offer.searchParams.get('p1') ?? '';
    check(reference.length === 76, `p1 has ${reference.length} characters`);
    const click_id = clickIn(reference);
    return { value: click_id, says: `${stack.demo.smart_link} leads to ${offer.host}: click ${click_id}` };
  });
}

/** The click's id, which a reference carries behind its key's id. */
function clickIn(reference: string): bigint {
  return Buffer.from(reference, 'base64url').readBigUInt64BE(1);
}

function counted(database: pg.Client, click_id: bigint): Promise<void> {
  return step('the click is counted', 15_000, async (now) => {
    await until(now, 'a row of clicks', async () => {
      const { rowCount } = await database.query("select 1 from clicks where click_id = $1 and source = 'edge'", [
        String(click_id),
      ]);
      return rowCount === 1 ? true : undefined;
    });
    return { value: undefined, says: 'that click, which leads to no purchase, is counted' };
  });
}

function clickInOwnName(stack: StackFile, { user_id, token }: Shopper): Promise<URL> {
  return step('click as the shopper', 5_000, async ({ signal }) => {
    const json = { link_id: INSTANT_LINK.link_id, user_id };
    const call = { method: 'POST', token, json, signal } as const;
    const { click_id } = await callJson<{ click_id: string }>(`${stack.origin}/v1/events/click`, call);
    const offer = await follow(`${stack.origin}/${INSTANT_LINK.slug}?hb_ref=${click_id}`, signal);
    check(offer.searchParams.get('p1') === click_id, 'the smart link did not keep the click it was given');
    return {
      value: offer,
      says: `click ${clickIn(click_id)} on /${INSTANT_LINK.slug}, whose offer has a cool-off of 0 days for this demonstration`,
    };
  });
}

function buy(stack: StackFile, offer: URL): Promise<void> {
  return step('buy at the shop', 10_000, async ({ signal }) => {
    const shop = await fetch(offer, { signal });
    check(shop.status === 200, `the shop answered ${shop.status}`);
    await shop.arrayBuffer();
    const txn_id = `DEMO-${randomUUID().slice(0, 8)}`;
    const json = { p1: offer.searchParams.get('p1'), campaign_id: INSTANT_LINK.offer_id, sale_amount: SALE, txn_id };
    const call = { method: 'POST', json, signal } as const;
    const sale = await callJson<{ postbacks: { state: string; attempts: { answer: string }[] }[] }>(
      `${stack.sandbox.trackier}/buy`,
      call,
    );
    const states = sale.postbacks.map(({ state }) => state).join();
    check(states === 'delivered', `the network's postback is ${states || 'not sent'}`);
    const answer = sale.postbacks[0]?.attempts.at(-1)?.answer;
    return { value: undefined, says: `bought for INR ${SALE} (order ${txn_id}); the postback was answered ${answer}` };
  });
}

function accrued(database: pg.Client, { user_id }: Shopper): Promise<LedgerRow> {
  return step('the reward is in the ledger', 15_000, async (now) => {
    const row = await until(now, 'a row of the ledger', () => rewardOf(database, user_id));
    check(
      row.user_amount === REWARD && row.creator_amount === REWARD,
      `the ledger says ${row.user_amount} and ${row.creator_amount}`,
    );
    check(row.status !== 'rejected' && row.status !== 'review', `the reward is ${row.status}`);
    return {
      value: row,
      says: `ledger row ${row.led_id}: INR ${row.user_amount} for the shopper and as much for the creator (${row.status})`,
    };
  });
}

function released(stack: StackFile, database: pg.Client, reward: LedgerRow): Promise<void> {
  return step('the reward is confirmed', 20_000, async (now) => {
    await until(now, 'the release', async () => {
      await callJson(stack.cron.release, { method: 'POST', signal: now.signal });
      const status = await statusOf(database, reward.led_id);
      return status === 'confirmed' || status === 'paid' ? status : undefined;
    });
    return { value: undefined, says: 'the release run confirmed it: the cool-off is over' };
  });
}

function paid(stack: StackFile, database: pg.Client, { user_id, phone }: Shopper): Promise<PayoutRow> {
  return step('the voucher is bought and sent', 60_000, async (now) => {
    const row = await until(now, 'a paid payout', async () => {
      await callJson(stack.cron.payout, { method: 'POST', signal: now.signal });
      const { rows } = await database.query<PayoutRow>(
        "select payout_id, amount, status, voucher_code, creation_request_id from payouts where user_id = $1 and side = 'shopper'",
        [user_id],
      );
      const [payout, another] = rows;
      check(another === undefined, `${rows.length} payouts for one reward`);
      check(payout?.status !== 'error_hard', 'the payout failed for good');
      return payout?.status === 'paid' ? payout : undefined;
    });
    check(row.amount === REWARD, `the payout is over ${row.amount}`);
    check(row.voucher_code === null, 'the voucher code was not erased');
    return {
      value: row,
      says: `payout ${row.payout_id}: a gift voucher over INR ${row.amount} was bought, sent to ${phone}, and its code erased here`,
    };
  });
}

function voucherArrived(stack: StackFile, { phone }: Shopper): Promise<void> {
  return step('the voucher is on the phone', 10_000, async (now) => {
    const text = await until(now, 'the SMS with the voucher', async () => {
      const messages = await messagesTo(stack, phone, now.signal);
      return messages.slice(1).find((message) => message.kind !== 'otp')?.text;
    });
    return { value: undefined, says: `the SMS says: ${text}` };
  });
}

function booksAreClosed(
  stack: StackFile,
  database: pg.Client,
  { user_id, token }: Shopper,
  { led_id }: LedgerRow,
  { creation_request_id }: PayoutRow,
): Promise<void> {
  return step('the books are closed', 10_000, async ({ signal }) => {
    const status = await statusOf(database, led_id);
    check(status === 'paid', `the ledger says ${status}`);
    const { rows } = await database.query(
      'select event_id from journal_entries group by event_id, currency having sum(amount) <> 0',
    );
    check(rows.length === 0, `${rows.length} events of the journal do not sum to zero`);
    const url = `${stack.sandbox.agcod}/__control/cards?creationRequestId=${creation_request_id}`;
    const { cards } = await callJson<{ cards: { amount: string; status: string }[] }>(url, { signal });
    check(cards.length === 1, `the gift-card service knows ${cards.length} cards of this payout`);
    const rewards = await callJson<{ amount: string; status: string; eta: null }[]>(
      `${stack.origin}/v1/rewards/user?user_id=${user_id}`,
      { token, signal },
    );
    check(rewards.length === 1 && rewards[0]?.status === 'paid', `the shopper sees ${JSON.stringify(rewards)}`);
    return { value: undefined, says: 'paid: one card, one voucher, and the journal sums to zero' };
  });
}

async function rewardOf(database: pg.Client, user_id: string): Promise<LedgerRow | undefined> {
  const { rows } = await database.query<LedgerRow>(
    'select led_id, user_amount, creator_amount, status from ledger where user_id = $1',
    [user_id],
  );
  check(rows.length <= 1, `${rows.length} rewards for one purchase`);
  return rows[0];
}

async function statusOf(database: pg.Client, led_id: string): Promise<string | undefined> {
  const { rows } = await database.query<{ status: string }>('select status from ledger where led_id = $1', [led_id]);
  return rows[0]?.status;
}

function messagesTo(stack: StackFile, phone: string, signal: AbortSignal): Promise<Message[]> {
  return callJson(`${stack.sandbox.sms}/messages?to=${encodeURIComponent(phone)}`, { signal });
}

/** A mobile number of India that nobody has used here before. */
function freshPhone(): string {
  for (;;) {
    const phone = parsePhone(`+9198${randomInt(10_000_000, 100_000_000)}`, ['IN']);
    if (phone.ok) return phone.e164;
  }
}
