import { beforeAll, describe, expect, test } from 'vitest';
import { saleOf, takenOf } from './support/books.ts';
import { type Creator, freshOrder, INSTANT, type Link, type Person } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
const PATH = '/v1/events/conversion';
const TOKEN = on.stack.webhookToken;
let creator: Creator;
let link: Link;
let shopper: Person;
beforeAll(async () => {
  [creator, shopper] = await Promise.all([on.creator(), on.logIn()]);
  link = await on.link(creator);
});

async function sale(order: string): Promise<Record<string, string>> {
  const click_id = await on.clickFor(shopper, link);
  return { click_id, offer_id: String(INSTANT), sale_amount: '10.00', status: 'approved', txn_id: order };
}

describe.concurrent('who may send postbacks', () => {
  test.each([
    ['no token', '', {}],
    ['an empty token', '&token=', {}],
    ['a wrong token', '&token=wrong', {}],
    ['a wrong token in the header', '', { 'x-hissaback-token': 'wrong' }],
    ['the token and one character more', `&token=${TOKEN}x`, {}],
    ['a right token in the address and a wrong one in the header', `&token=${TOKEN}`, { 'x-hissaback-token': 'wrong' }],
  ])('with %s: 401, and nothing is kept', async (_, query, headers) => {
    const order = freshOrder();
    const answer = await on.call('GET', `${PATH}?${new URLSearchParams(await sale(order))}${query}`, { headers });
    expect([answer.status, answer.json.code]).toEqual([401, 'unauthenticated']);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.text).not.toContain(TOKEN);
    await on.quiet();
    expect(await takenOf(on, order)).toBe(0);
  });

  test('the token may come in the header', async () => {
    const order = freshOrder();
    const query = new URLSearchParams(await sale(order));
    const answer = await on.call('GET', `${PATH}?${query}`, { headers: { 'x-hissaback-token': TOKEN } });
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok' }]);
    expect(await until('the reward', () => saleOf(on, order))).toMatchObject({ net_commission: '0.90' });
  });
});

describe.concurrent('how postbacks may be sent', () => {
  const headers = { 'x-hissaback-token': TOKEN };

  test('as a form', async () => {
    const order = freshOrder();
    const body = new URLSearchParams(await sale(order)).toString();
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
    expect((await on.call('POST', PATH, { body, headers: form })).json).toEqual({ status: 'ok' });
    await until('the reward', () => saleOf(on, order));
  });

  test('as JSON, numbers as numbers', async () => {
    const order = freshOrder();
    const json = { ...(await sale(order)), offer_id: INSTANT, sale_amount: 1234.5 };
    expect((await on.call('POST', PATH, { json, headers })).json).toEqual({ status: 'ok' });
    expect(await until('the reward', () => saleOf(on, order))).toMatchObject({ order_value: '1234.50' });
  });

  test('JSON that cannot be read is ignored, not refused: the network would only repeat it', async () => {
    for (const body of ['{"click_id":', '[]', '"text"', '\u0000']) {
      const given = { ...headers, 'content-type': 'application/json' };
      const answer = await on.call('POST', PATH, { body, headers: given });
      expect([answer.status, answer.json]).toEqual([200, { status: 'ok', ignored: true }]);
    }
  });

  test('a name that says two different things is ignored', async () => {
    const order = freshOrder();
    const query = new URLSearchParams({ ...(await sale(order)), token: TOKEN });
    query.append('sale_amount', '99999.00');
    expect((await on.call('GET', `${PATH}?${query}`)).json).toEqual({ status: 'ok', ignored: true });
    await on.quiet();
    expect(await saleOf(on, order)).toBeNull();
  });

  test.each(['PUT', 'PATCH', 'DELETE', 'HEAD'])('not by %s: 405', async (method) => {
    const order = freshOrder();
    const answer = await on.call(method, `${PATH}?${new URLSearchParams({ ...(await sale(order)), token: TOKEN })}`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, POST');
    await on.quiet();
    expect(await takenOf(on, order)).toBe(0);
  });

  test('another media type, or more than 16 kB, is ignored and kept', async () => {
    const [order, json] = [freshOrder(), { ...(await sale(freshOrder())), filler: 'x'.repeat(200_000) }];
    const xml = { body: `<sale order="${order}"/>`, headers: { ...headers, 'content-type': 'text/xml' } };
    for (const request of [xml, { json, headers }]) {
      const answer = await on.call('POST', `${PATH}?sub=${order}`, request);
      expect([answer.status, answer.json]).toEqual([200, { status: 'ok', ignored: true }]);
    }
    await until('the evidence', async () => {
      const [row] = await on.sql(`select count(*) from unmatched_conversions where raw ->> 'sub' = $1`, [order]);
      return row?.count === '2' ? true : undefined;
    });
  });
});
