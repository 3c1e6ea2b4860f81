import { mintId } from '@hissaback/shared/domain/click-id';
import { beforeAll, describe, expect, test } from 'vitest';
import { postbacksOf, saleOf, salesOf, takenOf, unmatchedOf } from './support/books.ts';
import { COOLING, type Creator, FOREIGN, freshOrder, INSTANT, type Link, type Person } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) };
let creator: Creator;
let link: Link;
beforeAll(async () => {
  creator = await on.creator();
  link = await on.link(creator, INSTANT, '40.00');
});

/** A shopper with a click, and what a postback of its sale says; 90.00 of commission unless told. */
async function sold(
  further: Record<string, string> = {},
): Promise<{ shopper: Person; order: string; parameters: Record<string, string> }> {
  const shopper = await on.logIn();
  const order = freshOrder();
  const click_id = await on.clickFor(shopper, link);
  const sale = { offer_id: String(INSTANT), sale_amount: '1000.00', status: 'approved', txn_id: order };
  return { shopper, order, parameters: { click_id, ...sale, ...further } };
}

/** Sends a postback and waits until it is in the books. */
async function take(parameters: Record<string, string>): Promise<void> {
  const order = parameters.txn_id ?? '';
  const before = await takenOf(on, order);
  const answer = await on.postback(parameters);
  expect([answer.status, answer.json]).toEqual([200, { status: 'ok' }]);
  await until('the postback in the books', async () => (await takenOf(on, order)) > before);
}

const STATUSES = ['pending', 'approved', 'rejected'] as const;
const PERMUTATIONS = STATUSES.flatMap((first) =>
  STATUSES.filter((second) => second !== first).map((second) => {
    const third = STATUSES.find((status) => status !== first && status !== second) ?? first;
    return [first, second, third];
  }),
);

describe.concurrent('identity of a conversion', () => {
  test('one postback fifty times at once is one conversion and one credit', async () => {
    const { order, parameters } = await sold();
    const answers = await Promise.all(Array.from({ length: 50 }, () => on.postback(parameters)));
    expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(Array(50).fill('200 {"status":"ok"}'));
    await until('all fifty in the books', async () => (await takenOf(on, order)) === 50);
    const sale = await saleOf(on, order);
    expect(sale).toMatchObject({ net_commission: '90.00', user_amount: '36.00', creator_amount: '54.00' });
    expect(await postbacksOf(on, order)).toEqual({ credited: 1, replayed: 49 });
  });

  test.each(PERMUTATIONS)('%s, %s, %s ends reversed', async (...statuses) => {
    const { order, parameters } = await sold();
    for (const status of statuses) await take({ ...parameters, status });
    expect(await saleOf(on, order)).toMatchObject({ status: 'reversed', conversion_status: 'rejected' });
    await take({ ...parameters, status: 'approved' });
    expect(await saleOf(on, order)).toMatchObject({ status: 'reversed', conversion_status: 'rejected' });
  });

  test('two orders on one click are two conversions', async () => {
    const { order, parameters, shopper } = await sold();
    const second = freshOrder();
    await Promise.all([take(parameters), take({ ...parameters, txn_id: second })]);
    for (const one of [order, second]) {
      expect(await saleOf(on, one)).toMatchObject({ status: 'pending', user_id: shopper.user_id });
    }
  });

  test('an order id that another click brought first is refused', async () => {
    const first = await sold();
    await take(first.parameters);
    const { parameters } = await sold({ txn_id: first.order });
    await take(parameters);
    const statuses = (await salesOf(on, first.order)).map(({ status, reason }) => [status, reason]);
    expect(statuses).toEqual([
      ['pending', null],
      ['rejected', 'duplicate_order'],
    ]);
  });

  test('a refused order is free again once its first holder is reversed', async () => {
    const first = await sold();
    await take(first.parameters);
    await take({ ...first.parameters, status: 'cancelled' });
    const { parameters } = await sold({ txn_id: first.order });
    await take(parameters);
    expect((await salesOf(on, first.order)).map(({ status }) => status)).toEqual(['reversed', 'pending']);
  });

  test('amounts told again count as the lowest, and each change is a row of its own', async () => {
    const { order, parameters } = await sold({ payout: '90.00' });
    await take(parameters);
    await take({ ...parameters, sale_amount: '500.00', payout: '45.01' });
    await take({ ...parameters, sale_amount: '1000.00', payout: '90.00' });
    const sale = await saleOf(on, order);
    expect(sale).toMatchObject({ net_commission: '45.01', user_amount: '36.00', creator_amount: '54.00' });
    const rows = await on.sql(
      'select seq, user_amount, creator_amount, status from ledger where conv_id = $1 order by seq',
      [sale?.conv_id],
    );
    // 40 % of 45.01 is 18.004.
    expect(rows).toEqual([
      { seq: '0', user_amount: '36.00', creator_amount: '54.00', status: 'pending' },
      { seq: '1', user_amount: '-18.00', creator_amount: '-26.99', status: 'pending' },
    ]);
  });

  test('a postback that overtakes its click waits, and is matched when the click arrives', async () => {
    const clickId = mintId({ now: Date.now }, random);
    const order = freshOrder();
    await take({ ...(await sold()).parameters, click_id: String(clickId), txn_id: order });
    expect(await unmatchedOf(on, order)).toMatchObject([{ reason: 'unknown_click', status: 'open' }]);
    expect(await saleOf(on, order)).toBeNull();

    await on.cron('rematch');
    await on.quiet();
    expect(await unmatchedOf(on, order)).toMatchObject([{ status: 'open' }]);

    await on.sql(
      `insert into clicks (click_id, created_at, tenant_id, link_id, source) values ($1, id_time($1), $2, $3, 'edge')`,
      [clickId, creator.tenant_id, link.link_id],
    );
    await on.cron('rematch');
    await until('the reward', () => saleOf(on, order));
    await until('the match', async () => (await unmatchedOf(on, order))[0]?.status === 'matched');
    expect(await saleOf(on, order)).toMatchObject({ status: 'pending', net_commission: '90.00' });
  });

  test('a reference whose click never arrived makes the click’s row itself', async () => {
    // A preview bot's redirect carries a reference and counts no click.
    const bot = { 'user-agent': 'WhatsApp/2.24', 'cf-ipcountry': 'IN' };
    const preview = await fetch(link.smart_link, { redirect: 'manual', headers: bot });
    const reference = new URL(preview.headers.get('location') ?? '').searchParams.get('p1') ?? '';
    const { order, parameters } = await sold({ click_id: reference });
    await take(parameters);
    const sale = await saleOf(on, order);
    expect(sale).toMatchObject({ status: 'pending', user_id: null });
    const [click] = await on.sql(
      `select k.source, k.link_id from clicks k join conversion_identities i on i.click_id = k.click_id where i.conv_id = $1`,
      [sale?.conv_id],
    );
    expect(click).toEqual({ source: 'reference', link_id: link.link_id });
  });
});

describe.concurrent('what cannot be credited is kept as evidence', () => {
  test.each([
    ['another offer than the link’s', { offer_id: String(COOLING) }, 'foreign_offer'],
    ['an offer that nobody knows', { offer_id: '999999' }, 'unknown_offer'],
    ['another currency', { currency: 'USD' }, 'foreign_currency'],
  ])('%s: unmatched', async (_, change, reason) => {
    const { order, parameters } = await sold(change);
    await take(parameters);
    expect(await unmatchedOf(on, order)).toMatchObject([{ reason, status: 'open', raw: { ...parameters } }]);
    expect(await saleOf(on, order)).toBeNull();
  });

  test('an offer in dollars: unmatched, not converted', async () => {
    const dollars = await on.link(creator, FOREIGN);
    const order = freshOrder();
    const click_id = await on.clickFor(await on.logIn(), dollars);
    await take({ click_id, offer_id: String(FOREIGN), sale_amount: '50.00', status: 'approved', txn_id: order });
    expect(await unmatchedOf(on, order)).toMatchObject([{ reason: 'foreign_currency' }]);
  });

  test.each<[string, Record<string, string>, string]>([
    ['no click id', { click_id: '' }, 'missing_click'],
    ['a click id that is none', { click_id: 'hello' }, 'unknown_click'],
    ['a forged reference', { click_id: 'A'.repeat(76) }, 'unknown_click'],
    ['a click of the future', { click_id: '9000000000000000000' }, 'unknown_click'],
    ['an amount that is a macro', { sale_amount: '{sale_amount}' }, 'unsubstituted_macro'],
    ['a click id that is a macro', { click_id: '{p1}' }, 'unsubstituted_macro'],
    ['an empty amount', { sale_amount: '' }, 'bad_amount'],
    ['a negative amount', { sale_amount: '-5' }, 'bad_amount'],
    ['an amount with an exponent', { sale_amount: '1e3' }, 'bad_amount'],
    ['an amount beyond all reason', { sale_amount: '99999999999.00' }, 'bad_amount'],
    ['a status that nobody knows', { status: 'maybe' }, 'bad_status'],
    ['an offer id that is none', { offer_id: 'abc' }, 'bad_offer'],
    ['a currency that is none', { currency: 'rupees' }, 'bad_currency'],
  ])('%s: ignored', async (_, change, reason) => {
    const { order, parameters } = await sold(change);
    const answer = await on.postback(parameters);
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok', ignored: true }]);
    const [kept] = await until('the evidence', async () => {
      const rows = await unmatchedOf(on, order);
      return rows.length > 0 && rows;
    });
    expect(kept).toMatchObject({ reason, raw: parameters });
    expect(kept?.raw).not.toHaveProperty('token');
    expect(await saleOf(on, order)).toBeNull();
  });
});
