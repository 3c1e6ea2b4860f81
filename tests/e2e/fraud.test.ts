import { beforeAll, describe, expect, test } from 'vitest';
import { accrualOf, saleOf } from './support/books.ts';
import { type Creator, freshOrder, INSTANT, type Link } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
let creator: Creator;
let link: Link;
beforeAll(async () => {
  creator = await on.creator();
  link = await on.link(creator);
});

/** Buys through the network and answers the sale as the books have it. */
async function buy(reference: string, further: Record<string, unknown> = {}) {
  const order = freshOrder();
  const { publisher_id } = creator;
  const purchase = { p1: reference, campaign_id: INSTANT, publisher_id, sale_amount: '1000.00', txn_id: order };
  await on.buy({ ...purchase, ...further });
  return until('the sale in the books', () => saleOf(on, order));
}

describe.concurrent('the spec’s rules', () => {
  test('a creator who buys through the own link is refused, and nothing is owed', async () => {
    const sale = await buy(await on.clickFor(creator, link));
    expect(sale).toMatchObject({ status: 'rejected', reason: 'self_purchase', fraud_rules: '{self_purchase}' });
    expect(await accrualOf(on, sale.conv_id)).toEqual({});
  });

  test('a creator who claims the own anonymous purchase by a later login is refused too', async () => {
    const other = await on.creator();
    const click = await on.follow(await on.link(other));
    const order = freshOrder();
    await on.buy({
      ...{ p1: click.reference, campaign_id: INSTANT, publisher_id: other.publisher_id },
      ...{ sale_amount: '1000.00', txn_id: order },
    });
    expect(await until('the reward', () => saleOf(on, order))).toMatchObject({ status: 'pending', user_id: null });
    await on.logIn(other.phone, click.cookie);
    await until('the claim', async () => (await saleOf(on, order))?.user_id === other.user_id);
    expect(await saleOf(on, order)).toMatchObject({ status: 'rejected', reason: 'self_purchase' });
  });

  test('the fifth conversion of a shopper within 24 hours waits for a person, and is not released', async () => {
    const shopper = await on.logIn();
    const statuses: string[] = [];
    for (let n = 0; n < 5; n++) statuses.push((await buy(await on.clickFor(shopper, link))).status);
    expect(statuses).toEqual(['pending', 'pending', 'pending', 'pending', 'review']);
    await on.cron('release');
    const rows = await on.sql('select status from ledger where user_id = $1 order by led_id', [shopper.user_id]);
    expect(rows.map(({ status }) => status)).toEqual([...Array(4).fill('confirmed'), 'review']);
  });

  test('another country at the sale than at the click adds 1 to the score, which alone is no reason to wait', async () => {
    const reference = await on.clickFor(await on.logIn(), link, 'IN');
    await until(
      'the click',
      async () => (await on.sql('select from clicks where link_id = $1', [link.link_id])).length,
    );
    expect(await buy(reference, { country: 'AE' })).toMatchObject({
      ...{ status: 'pending', fraud_score: '1', fraud_rules: '{country_mismatch}' },
    });
  });

  test('the same country adds nothing', async () => {
    const reference = await on.clickFor(await on.logIn(), link, 'IN');
    expect(await buy(reference, { country: 'IN' })).toMatchObject({ status: 'pending', fraud_score: '0' });
  });

  test('a tenant’s own threshold is the one that counts', async () => {
    const strict = await on.creator();
    const rules = JSON.stringify({ geography: { enabled: true, points: 3 } });
    await on.sql('insert into fraud_settings (tenant_id, version, rules, created_at) values ($1, 1, $2, now())', [
      ...[strict.tenant_id, rules],
    ]);
    const order = freshOrder();
    const own = await on.link(strict);
    await on.buy({
      ...{ p1: await on.clickFor(await on.logIn(), own, 'IN'), campaign_id: INSTANT, country: 'AE' },
      ...{ publisher_id: strict.publisher_id, sale_amount: '1000.00', txn_id: order },
    });
    // The sale may overtake its click: then it is judged again when the click is there.
    const judged = async () => {
      const sale = await saleOf(on, order);
      return sale?.fraud_score !== '0' && sale;
    };
    expect(await until('the decision', judged)).toMatchObject({ status: 'review', fraud_score: '3' });
  });
});
