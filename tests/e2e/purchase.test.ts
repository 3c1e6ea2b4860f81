import { read } from '@hissaback/client';
import { beforeAll, describe, expect, test } from 'vitest';
import { accrualOf, balanceOf, payoutsOf, saleOf } from './support/books.ts';
import { COOLING, type Creator, freshOrder, INSTANT, type Link } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
let creator: Creator;
let instant: Link;
beforeAll(async () => {
  creator = await on.creator();
  instant = await on.link(creator, INSTANT, '50.00');
});

/** Everything of a sale that is to be told apart in the rewards list. */
const rewardsOf = (token: string) => read(on.api(token).v1.rewards.user.$get({ query: {} }));

describe('the whole purchase', () => {
  test('click, sale, exact split, release, gift card by SMS, code erased, reward paid', async () => {
    const shopper = await on.logIn();
    const reference = await on.clickFor(shopper, instant);
    const order = freshOrder();
    // 9 % of 2,345.67 is 211.1103: the network says 211.11, of which half is 105.555 and the creator has the odd paisa.
    const { conversion, answers } = await on.buy({
      p1: reference,
      campaign_id: INSTANT,
      publisher_id: creator.publisher_id,
      sale_amount: '2345.67',
      txn_id: order,
    });
    expect(answers).toMatchObject([{ status: 200, answer: '{"status":"ok"}' }]);
    expect(conversion.payout).toBe('211.11');

    const sale = await until('a pending reward', () => saleOf(on, order));
    expect(sale).toMatchObject({
      conversion_status: 'approved',
      status: 'pending',
      order_value: '2345.67',
      net_commission: '211.11',
      user_amount: '105.55',
      creator_amount: '105.56',
      user_id: shopper.user_id,
      fraud_score: '0',
    });
    const { tenant_id } = creator;
    expect(await accrualOf(on, sale.conv_id)).toEqual({
      network: '-211.11',
      [`shopper:pending:${tenant_id}`]: '105.55',
      [`creator:pending:${tenant_id}`]: '105.56',
    });
    expect(await rewardsOf(shopper.token)).toMatchObject([{ amount: '105.55', status: 'pending', brand: 'Ayur Care' }]);

    await on.cron('release');
    expect(await saleOf(on, order)).toMatchObject({ status: 'confirmed' });
    expect(await balanceOf(on, tenant_id, shopper.user_id)).toMatchObject({ available: '105.55', reserved: '0.00' });
    const [confirmed] = await rewardsOf(shopper.token);
    expect(confirmed).toMatchObject({ status: 'confirmed', eta: expect.any(String) });

    await on.cron('payout');
    const [payout, another] = await payoutsOf(on, shopper.user_id);
    expect(another).toBeUndefined();
    // Whole rupees are paid; the rest stays in the balance (money rule 13).
    expect(payout).toMatchObject({ status: 'paid', amount: '105.00', voucher_code: null, attempts: '1' });
    expect(await balanceOf(on, tenant_id, shopper.user_id)).toMatchObject({ available: '0.55', reserved: '0.00' });
    const cards = await on.cards(payout?.creation_request_id);
    expect(cards).toMatchObject([{ amount: '105.00', status: 'Fulfilled', gcId: payout?.gc_id }]);
    const vouchers = (await on.messages(shopper.phone)).filter(({ kind }) => kind === 'voucher');
    expect(vouchers).toHaveLength(1);
    expect(vouchers[0]?.text).toContain(cards[0]?.claimCode);
    expect(vouchers[0]?.text).toContain('105.00');
  });

  test('the smart link carries our reference as p1 and the publisher id of its tenant', async () => {
    const click = await on.follow(instant);
    const location = new URL(click.location);
    expect(location.origin).toBe(on.stack.sandbox.trackier);
    expect(click.reference).toMatch(/^[\w-]{76}$/);
    expect(location.searchParams.get('pub_id')).toBe(creator.publisher_id);
    expect(location.searchParams.get('campaign_id')).toBe(String(INSTANT));
    const order = freshOrder();
    // The shopper lands in the network's shop, which takes the click and sells.
    expect((await fetch(click.location)).status).toBe(200);
    await on.buy({ p1: click.reference, campaign_id: INSTANT, sale_amount: '1000.00', txn_id: order });
    const sale = await until('the reward of a visitor', () => saleOf(on, order));
    expect(sale).toMatchObject({ status: 'pending', user_amount: '45.00', creator_amount: '45.00', user_id: null });
    await on.quiet();
    const [row] = await on.sql(
      `select k.source, k.country, k.visitor_id is not null as visitor from clicks k
       join conversion_identities i on i.click_id = k.click_id where i.conv_id = $1`,
      [sale.conv_id],
    );
    expect(row).toEqual({ source: 'edge', country: 'IN', visitor: 't' });
  });

  test('an anonymous shopper claims the reward by logging in with the same browser', async () => {
    const click = await on.follow(instant);
    expect(click.cookie).toMatch(/^hb_v=/);
    const order = freshOrder();
    await on.buy({
      p1: click.reference,
      campaign_id: INSTANT,
      publisher_id: creator.publisher_id,
      sale_amount: '5000',
      txn_id: order,
    });
    expect(await until('the reward', () => saleOf(on, order))).toMatchObject({ user_id: null });
    await on.cron('release');
    expect(await saleOf(on, order)).toMatchObject({ status: 'pending' });

    const shopper = await on.logIn(undefined, click.cookie);
    expect(shopper.cookie).not.toBe(click.cookie);
    await until('the claim', async () => (await saleOf(on, order))?.user_id === shopper.user_id);
    expect(await rewardsOf(shopper.token)).toMatchObject([{ amount: '225.00', status: 'pending' }]);
    await on.cron('release');
    await on.cron('payout');
    expect(await payoutsOf(on, shopper.user_id)).toMatchObject([{ status: 'paid', amount: '225.00' }]);

    // Who comes later with the old cookie gets nothing of it.
    const other = await on.logIn(undefined, click.cookie);
    await on.quiet();
    expect(await rewardsOf(other.token)).toEqual([]);
    expect((await saleOf(on, order))?.user_id).toBe(shopper.user_id);
  });

  test('a sale after the login of its browser is the shopper’s at once', async () => {
    const shopper = await on.logIn();
    const click = await on.follow(instant, { cookie: shopper.cookie });
    const order = freshOrder();
    await on.buy({
      p1: click.reference,
      campaign_id: INSTANT,
      publisher_id: creator.publisher_id,
      sale_amount: '100',
      txn_id: order,
    });
    expect(await until('the reward', () => saleOf(on, order))).toMatchObject({ user_id: shopper.user_id });
  });

  test('nothing is released before the cool-off is over, and nothing that the network has only pending', async () => {
    const shopper = await on.logIn();
    const cooling = await on.link(creator, COOLING);
    const orders = { cooling: freshOrder(), pending: freshOrder() };
    const [slow, fast] = [await on.clickFor(shopper, cooling), await on.clickFor(shopper, instant)];
    const { publisher_id } = creator;
    await on.buy({ p1: slow, campaign_id: COOLING, publisher_id, sale_amount: '9000', txn_id: orders.cooling });
    await on.buy({
      ...{ p1: fast, campaign_id: INSTANT, publisher_id, sale_amount: '9000', txn_id: orders.pending },
      ...{ status: 'pending', send: true },
    });
    for (const order of Object.values(orders)) await until('the reward', () => saleOf(on, order));
    await on.cron('release');
    expect(await saleOf(on, orders.cooling)).toMatchObject({ status: 'pending', conversion_status: 'approved' });
    expect(await saleOf(on, orders.pending)).toMatchObject({ status: 'pending', conversion_status: 'pending' });
    const rewards = await rewardsOf(shopper.token);
    const month = rewards.find(({ brand }) => brand === 'Nila Fashion');
    const days = (Date.parse(month?.eta ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThanOrEqual(30);
  });

  test('the payout run of the API is for cron tokens only, and pays', async () => {
    const shopper = await on.logIn();
    const order = freshOrder();
    await on.buy({
      ...{ p1: await on.clickFor(shopper, instant), campaign_id: INSTANT, publisher_id: creator.publisher_id },
      ...{ sale_amount: '4000', txn_id: order },
    });
    await until('the reward', () => saleOf(on, order));
    await on.cron('release');
    for (const token of [shopper.token, creator.token]) {
      await expect(read(on.api(token).v1.rewards.payout.run.$post())).rejects.toMatchObject({ status: 403 });
    }
    expect(await read(on.api(on.stack.cronToken).v1.rewards.payout.run.$post())).toEqual({ paid_count: 1 });
    expect(await payoutsOf(on, shopper.user_id)).toMatchObject([{ status: 'paid', amount: '180.00' }]);
  });
});
