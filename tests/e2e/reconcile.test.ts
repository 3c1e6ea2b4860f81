import { mintId } from '@hissaback/shared/domain/click-id';
import { beforeAll, describe, expect, test } from 'vitest';
import { balanceOf, payoutsOf, saleOf, unmatchedOf } from './support/books.ts';
import { COOLING, type Creator, freshOrder, INSTANT, type Link, type Person } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
const DAY = 86_400_000;
let creator: Creator;
let link: Link;
beforeAll(async () => {
  creator = await on.creator();
  link = await on.link(creator);
});

/** Buys through the network; 45.00 of every 1,000.00 are the shopper's. */
async function buy(shopper: Person, sale_amount: string, further: Record<string, unknown> = {}) {
  const order = freshOrder();
  const { conversion } = await on.buy({
    ...{ p1: await on.clickFor(shopper, link), campaign_id: INSTANT, publisher_id: creator.publisher_id },
    ...{ sale_amount, txn_id: order, ...further },
  });
  return { order, id: conversion._id };
}

async function confirmed(shopper: Person, sale_amount: string) {
  const sale = await buy(shopper, sale_amount);
  await until('the reward', () => saleOf(on, sale.order));
  await on.cron('release');
  expect(await saleOf(on, sale.order)).toMatchObject({ status: 'confirmed' });
  return sale;
}

const balance = (shopper: Person) => balanceOf(on, creator.tenant_id, shopper.user_id);

describe('what only the network’s list tells', () => {
  test('a sale whose postback never came is credited, once', async () => {
    const shopper = await on.logIn();
    const { order } = await buy(shopper, '1000.00', { send: false });
    await on.cron('reconcile');
    const sale = await until('the reward', () => saleOf(on, order));
    expect(sale).toMatchObject({ status: 'pending', net_commission: '90.00', user_id: shopper.user_id });
    const again = await on.cron('reconcile');
    await on.quiet();
    expect(again.counts.sent).toBe(0);
    expect(await saleOf(on, order)).toEqual(sale);
  });

  test('a postback without its order id and the poll’s row with both ids are one sale', async () => {
    const shopper = await on.logIn();
    const { order, id } = await buy(shopper, '1000.00', { omit: ['txn_id'] });
    const mine = 'select txn_id, network_id from conversions where user_id = $1';
    await until('the reward', async () => (await on.sql(mine, [shopper.user_id])).length === 1);
    expect(await on.sql(mine, [shopper.user_id])).toEqual([{ txn_id: null, network_id: null }]);
    await on.cron('reconcile');
    await until('the order id', () => saleOf(on, order));
    await on.quiet();
    expect(await on.sql(mine, [shopper.user_id])).toEqual([{ txn_id: order, network_id: id }]);
  });

  test('a sale under another tenant’s publisher id is kept and not credited', async () => {
    const { publisher_id } = await on.creator();
    const { order } = await buy(await on.logIn(), '1000.00', { publisher_id, send: false });
    await on.cron('reconcile');
    await until('the evidence', async () => (await unmatchedOf(on, order)).length > 0);
    expect(await unmatchedOf(on, order)).toMatchObject([{ reason: 'foreign_publisher', status: 'open' }]);
    expect(await saleOf(on, order)).toBeNull();
  });

  test('the cool-off counts from the network’s time: after 31 days a reward is released, after 29 it is not', async () => {
    const cooling = await on.link(creator, COOLING);
    const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) };
    const shopper = await on.logIn();
    const [visitor] = await on.sql('select visitor_id from visitors where user_id = $1', [shopper.user_id]);
    const orders = { old: freshOrder(), young: freshOrder() };
    for (const [order, days] of [[orders.old, 31] as const, [orders.young, 29] as const]) {
      const at = Date.now() - days * DAY;
      const clickId = mintId({ now: () => at }, random);
      await on.sql(
        `insert into clicks (click_id, created_at, tenant_id, link_id, visitor_id, source)
         values ($1, id_time($1), $2, $3, $4, 'edge')`,
        [clickId, creator.tenant_id, cooling.link_id, visitor?.visitor_id],
      );
      const sale = { p1: String(clickId), campaign_id: COOLING, publisher_id: creator.publisher_id };
      const created = new Date(at + 1000).toISOString();
      await on.buy({ ...sale, sale_amount: '1000.00', txn_id: order, created, send: false });
    }
    await on.cron('reconcile');
    for (const order of Object.values(orders)) await until('the reward', () => saleOf(on, order));
    await on.cron('release');
    expect(await saleOf(on, orders.old)).toMatchObject({ status: 'confirmed', user_id: shopper.user_id });
    expect(await saleOf(on, orders.young)).toMatchObject({ status: 'pending' });
  });
});

describe('what the network takes back without a word', () => {
  test('before its release: reversed, nothing was ever available', async () => {
    const shopper = await on.logIn();
    const { order, id } = await buy(shopper, '1000.00');
    await until('the reward', () => saleOf(on, order));
    await on.changeConversion(id, { status: 'cancelled' });
    await on.cron('reconcile');
    await until('the reversal', async () => (await saleOf(on, order))?.status === 'reversed');
    await on.cron('release');
    expect(await balance(shopper)).toMatchObject({ available: '0.00', receivable: '0.00' });
  });

  test('after its release: reversed, and no longer available', async () => {
    const shopper = await on.logIn();
    const { order, id } = await confirmed(shopper, '1000.00');
    expect(await balance(shopper)).toMatchObject({ available: '45.00' });
    await on.changeConversion(id, { status: 'rejected' });
    await on.cron('reconcile');
    await until('the reversal', async () => (await saleOf(on, order))?.status === 'reversed');
    expect(await balance(shopper)).toEqual({ available: '0.00', reserved: '0.00', receivable: '0.00' });
  });

  test('after its payout: a receivable, which the next reward works off before anything is paid', async () => {
    const shopper = await on.logIn();
    const { order, id } = await confirmed(shopper, '4000.00');
    await on.cron('payout');
    expect(await payoutsOf(on, shopper.user_id)).toMatchObject([{ status: 'paid', amount: '180.00' }]);
    await on.changeConversion(id, { status: 'cancelled' });
    await on.cron('reconcile');
    await until('the reversal', async () => (await saleOf(on, order))?.status === 'reversed');
    expect(await balance(shopper)).toEqual({ available: '0.00', reserved: '0.00', receivable: '180.00' });

    await confirmed(shopper, '10000.00');
    expect(await balance(shopper)).toEqual({ available: '270.00', reserved: '0.00', receivable: '0.00' });
    await on.cron('payout');
    const paid = (await payoutsOf(on, shopper.user_id)).map(({ amount, status }) => `${amount} ${status}`);
    expect(paid).toEqual(['270.00 paid', '180.00 paid']);
  });

  test('a part of it, after its release: an amendment, and the rest stays', async () => {
    const shopper = await on.logIn();
    const { order, id } = await confirmed(shopper, '1000.00');
    await on.changeConversion(id, { sale_amount: '600.00', payout: '54.00' });
    await on.cron('reconcile');
    await until('the amendment', async () => (await saleOf(on, order))?.net_commission === '54.00');
    expect(await balance(shopper)).toMatchObject({ available: '27.00', receivable: '0.00' });
    const rows = await on.sql(
      `select l.seq, l.user_amount, l.creator_amount from ledger l join conversions c using (conv_id) where c.txn_id = $1 order by seq`,
      [order],
    );
    expect(rows).toEqual([
      { seq: '0', user_amount: '45.00', creator_amount: '45.00' },
      { seq: '1', user_amount: '-18.00', creator_amount: '-18.00' },
    ]);
    // The postback of the full amount, told once more, raises nothing.
    await on.postback({
      ...{ click_id: await referenceOf(order), offer_id: String(INSTANT), sale_amount: '1000.00', payout: '90.00' },
      ...{ status: 'approved', txn_id: order },
    });
    await on.quiet();
    expect(await balance(shopper)).toMatchObject({ available: '27.00' });
  });

  test('and gives again: the poll alone revives what was reversed', async () => {
    const shopper = await on.logIn();
    const { order, id } = await confirmed(shopper, '1000.00');
    await on.changeConversion(id, { status: 'cancelled', postback: true });
    await until('the reversal', async () => (await saleOf(on, order))?.status === 'reversed');
    await on.changeConversion(id, { status: 'approved', postback: true });
    await on.quiet();
    expect(await saleOf(on, order)).toMatchObject({ status: 'reversed' });
    await on.cron('reconcile');
    await until('the revival', async () => (await saleOf(on, order))?.status === 'pending');
    await on.cron('release');
    expect(await balance(shopper)).toMatchObject({ available: '45.00', receivable: '0.00' });
  });
});

async function referenceOf(order: string): Promise<string> {
  const [row] = await on.sql(
    `select raw ->> 'click_id' as click_id from postbacks where raw ->> 'txn_id' = $1 and source = 'postback' limit 1`,
    [order],
  );
  return row?.click_id ?? '';
}
