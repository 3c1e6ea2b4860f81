import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nextCursor, onceOnly, read } from '@hissaback/client';
import { type WebhookEvent, webhookMessages } from '@hissaback/shared/contracts/webhooks';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { saleOf } from './support/books.ts';
import { type Creator, freshOrder, INSTANT, type Link } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
let creator: Creator;
let link: Link;
let api: ReturnType<typeof on.api>;
beforeAll(async () => {
  creator = await on.creator();
  link = await on.link(creator);
  api = on.api(creator.token);
});

type Sold = { order: string; id: string };

/** A sale through the creator's link by somebody new. */
async function sell(sale_amount: string): Promise<Sold> {
  const order = freshOrder();
  const p1 = await on.clickFor(await on.logIn(), link);
  const { conversion } = await on.buy({
    ...{ p1, campaign_id: INSTANT, publisher_id: creator.publisher_id, sale_amount, txn_id: order },
  });
  await until('the reward', () => saleOf(on, order));
  return { order, id: conversion._id };
}

describe('links', () => {
  test('a list is read page by page, each once, while others are made', async () => {
    const { campaign_id } = await read(api.v1.links[':link_id'].$get({ param: { link_id: link.link_id } }));
    const { bulk } = api.v1.links;
    const made = await read(
      bulk.$post({ json: { links: Array(7).fill({ campaign_id, offer_id: INSTANT }) } }, onceOnly()),
    );
    const wanted = new Set(made.flatMap((row) => (row.status === 'created' ? [row.link_id] : [])));
    expect(wanted.size).toBe(7);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = { limit: '3', ...(cursor !== '' && { cursor }) };
      const page: Awaited<ReturnType<typeof api.v1.links.$get>> = await api.v1.links.$get({ query });
      seen.push(...(await read(page)).map(({ link_id }) => link_id));
      cursor = nextCursor(page);
      await read(api.v1.links.$post({ json: { campaign_id, offer_id: INSTANT } }));
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(new Set(seen)).toEqual(new Set([...wanted, link.link_id]));
  });

  test('what a link is told to do shows in the redirect: expiry with a fallback, countries, UTM and sub-ids', async () => {
    const { campaign_id } = await read(api.v1.links[':link_id'].$get({ param: { link_id: link.link_id } }));
    const make = (settings: object) =>
      read(api.v1.links.$post({ json: { campaign_id, offer_id: INSTANT, ...settings } }));
    const follow = async (url: string, country: string) =>
      (await on.call('GET', new URL(url).pathname, { headers: { 'cf-ipcountry': country } })).headers.get('location');
    const tagged = await make({ utm: { utm_source: 'insta' }, sub_ids: { p2: 'story' } });
    expect(await follow(tagged.smart_link, 'IN')).toMatch(/p2=story&utm_source=insta&p1=/);
    const india = await make({ countries: { only: ['IN'], else: 'https://elsewhere.example/' } });
    expect(await follow(india.smart_link, 'IN')).toContain('p1=');
    expect(await follow(india.smart_link, 'DE')).toBe('https://elsewhere.example/');
    const over = { expires_at: new Date(Date.now() + 500).toISOString(), fallback_url: 'https://over.example/' };
    const brief = await make(over);
    await until('the end', async () => (await follow(brief.smart_link, 'IN')) === 'https://over.example/');
  });
});

describe('webhooks', () => {
  type Got = { headers: IncomingHttpHeaders; body: string };
  const got: Got[] = [];
  let status = 200;
  let server: Server;
  let large: Sold;
  let small: Sold;
  let endpoint: { endpoint_id: string; secret: string };
  beforeAll(async () => {
    server = createServer((request, answer) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        got.push({ headers: request.headers, body });
        answer.writeHead(status).end('thanks');
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
    endpoint = await read(api.v1.webhooks.$post({ json: { url } }, onceOnly()));
    [large, small] = await Promise.all([sell('4000.00'), sell('500.00')]);
  });
  afterAll(() => server.close());

  /** The first message of a type about an order, as the public library for such messages reads it. */
  const told = (type: WebhookEvent, convId: string, ...secrets: string[]) =>
    until(`the message ${type}`, async () => {
      for (const { headers, body } of got) {
        const message = JSON.parse(body);
        if (message.type !== type || message.data.conv_id !== convId) continue;
        for (const secret of secrets) new Webhook(secret).verify(body, headers as Record<string, string>);
        webhookMessages[type].strict().parse(message);
        return { ...message, id: headers['webhook-id'] };
      }
      return null;
    });
  const convOf = async (order: string) =>
    (await read(api.v1.conversions.$get({ query: { order_id: order } })))[0]?.conv_id ?? '';
  const ofEndpoint = () => ({ param: { endpoint_id: endpoint.endpoint_id } });

  test('a conversion is told at once, signed; its confirmation under both secrets of a rotation; its payment; each once', async () => {
    const conv = await convOf(large.order);
    expect(await told('conversion.created', conv, endpoint.secret)).toMatchObject({
      data: { user_amount: '180.00', creator_amount: '180.00', order_value: '4000.00', link_id: link.link_id },
    });
    const { secret } = await read(api.v1.webhooks[':endpoint_id'].rotate.$post(ofEndpoint(), onceOnly()));
    await on.cron('release');
    await on.cron('webhooks');
    await told('conversion.confirmed', conv, endpoint.secret, secret);
    await on.cron('payout');
    await on.cron('webhooks');
    await told('reward.paid', conv, secret);
    const { history } = await read(api.v1.conversions[':conv_id'].$get({ param: { conv_id: conv } }));
    expect(history.map(({ source, outcome }) => `${source} ${outcome}`)).toEqual([
      ...['postback credited', 'books confirmed', 'books paid'],
    ]);
    expect(got.filter(({ body }) => body.includes(conv))).toHaveLength(3);
    endpoint = { ...endpoint, secret };
  });

  test('a reversal is told; what was told can be replayed, under the same id', async () => {
    const conv = await convOf(small.order);
    await on.changeConversion(small.id, { status: 'cancelled', postback: true });
    const message = await told('conversion.reversed', conv, endpoint.secret);
    const log = await read(api.v1.webhooks[':endpoint_id'].deliveries.$get({ ...ofEndpoint(), query: { limit: '1' } }));
    expect(log).toMatchObject([
      { type: 'conversion.reversed', status: 'delivered', attempts: 1, response_status: 200 },
    ]);
    const [{ delivery_id = '' } = {}] = log;
    const param = { ...ofEndpoint().param, delivery_id };
    const { replay } = api.v1.webhooks[':endpoint_id'].deliveries[':delivery_id'];
    expect(await read(replay.$post({ param }))).toMatchObject({ replay_of: delivery_id, status: 'pending' });
    await on.cron('webhooks');
    await until(
      'the replay',
      async () => got.filter(({ headers }) => headers['webhook-id'] === message.id).length === 2,
    );
  });

  test('an endpoint that fails for long is disabled, and hears nothing until it is enabled again', async () => {
    status = 500;
    const log = await read(api.v1.webhooks[':endpoint_id'].deliveries.$get({ ...ofEndpoint(), query: { limit: '1' } }));
    const param = { ...ofEndpoint().param, delivery_id: log[0]?.delivery_id ?? '' };
    const { replay } = api.v1.webhooks[':endpoint_id'].deliveries[':delivery_id'];
    await Promise.all(Array.from({ length: 50 }, () => replay.$post({ param })));
    await on.cron('webhooks');
    const one = api.v1.webhooks[':endpoint_id'];
    await until('the end', async () => (await read(one.$get(ofEndpoint()))).status === 'failing');
    await expect(read(replay.$post({ param }))).rejects.toMatchObject({ status: 409, code: 'conflict' });
    status = 200;
    const enabled = await read(one.$patch({ ...ofEndpoint(), json: { status: 'enabled' } }));
    expect(enabled).toMatchObject({ status: 'enabled', failures: 0 });
  });
});
