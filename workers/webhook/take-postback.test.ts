import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { createApp } from './app.ts';
import { stage } from './stage.fake.ts';
import { type Worker, worker } from './worker.fake.ts';

const PATH = '/v1/events/conversion';
const OK = { status: 'ok' };
const IGNORED = { status: 'ok', ignored: true };
let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await stage(database);
  at = worker(database, on);
});
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.end();
});

type Sent = { kind: string; raw: Record<string, string>; reason?: string };

/** One request, and what it put into the queue. */
async function send(init: RequestInit & { query?: string; env?: Partial<WebhookEnv> } = {}) {
  const { query = '', env = {}, ...request } = init;
  const headers = { 'cf-connecting-ip': '203.0.113.7', ...request.headers };
  const before = at.sent.length;
  const answer = await createApp(at.deps).request(`https://hissaback.test${PATH}${query}`, { ...request, headers }, {
    ...at.env,
    ...env,
  } as WebhookEnv);
  const text = await answer.text();
  const bodies = at.sent.slice(before).map(({ body }) => body as Sent);
  return { status: answer.status, json: text === '' ? null : JSON.parse(text), bodies, body: bodies[0] };
}

async function sale(): Promise<Record<string, string>> {
  const click_id = await at.referenceOf(await on.storedClick(null));
  return { click_id, offer_id: String(on.offerId), sale_amount: '1000.00', status: 'approved', txn_id: 'T-1' };
}

const form = (values: Record<string, string>) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(values).toString(),
});
const json = (body: string) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body });

describe('the token', () => {
  it('is taken from the header, the address, a form or JSON', async () => {
    const values = await sale();
    const query = `?${new URLSearchParams({ ...values, token: 'token-2' })}`;
    expect(await send({ query })).toMatchObject({ status: 200, json: OK });
    const header = { 'x-hissaback-token': 'token-1' };
    expect(await send({ query: `?${new URLSearchParams(values)}`, headers: header })).toMatchObject({ json: OK });
    expect(await send(form({ ...values, token: 'token-1' }))).toMatchObject({ status: 200, json: OK });
    expect(await send(json(JSON.stringify({ ...values, token: 'token-1' })))).toMatchObject({ status: 200, json: OK });
  });

  it('is in nothing that is kept, wherever it came', async () => {
    const values = { ...(await sale()), token: 'token-1' };
    const requests = [
      form(values),
      { ...json(`{"token":"token-1","click_id":`), query: '?token=token-1' },
      { query: '?token=token-1&TOKEN=token-2&note=token-2' },
      { query: '?token=token-1&token=token-2' },
    ];
    for (const request of requests) {
      const { status, bodies } = await send(request);
      expect([status, bodies.length]).toEqual([200, 1]);
      expect(JSON.stringify(bodies)).not.toMatch(/token-\d/);
    }
  });

  it('is asked for whatever else is wrong: nothing of a stranger is kept', async () => {
    const requests = [form(await sale()), json('{'), json('{"token":"token-3"}'), { method: 'POST', body: 'x' }];
    for (const request of requests)
      expect(await send(request)).toMatchObject({ status: 401, json: { code: 'unauthenticated' }, bodies: [] });
    expect(await send({ query: '?token=', env: { WEBHOOK_TOKENS: '' } })).toMatchObject({ status: 401, bodies: [] });
  });
});

describe('the allowlist', () => {
  const LIST = '203.0.113.0/24, 198.51.100.7,2001:db8::/32,::ffff:192.0.2.0/120';
  it.each([
    ['203.0.113.255', 200],
    ['203.0.114.0', 403],
    ['198.51.100.7', 200],
    ['198.51.100.8', 403],
    ['::ffff:198.51.100.7', 200],
    ['::ffff:c633:6407', 200],
    ['2001:DB8:0:0::1', 200],
    ['2001:db9::', 403],
    ['192.0.2.200', 200],
    ['192.0.3.1', 403],
    ['', 403],
    ['203.0.113.7, 203.0.113.8', 403],
    ['fe80::1%eth0', 403],
    ['3405803783', 403],
  ])('from %s: %i', async (address, status) => {
    const headers = { 'cf-connecting-ip': address };
    expect(await send({ query: '?token=token-1', headers, env: { TRACKIER_ALLOWLIST: LIST } })).toMatchObject({
      status,
    });
  });

  it('denies everybody while it is empty', async () => {
    expect(await send({ query: '?token=token-1', env: { TRACKIER_ALLOWLIST: '' } })).toMatchObject({ status: 403 });
  });
});

describe('what cannot be read is answered with 200 and kept: the network would only repeat it', () => {
  const header = { 'x-hissaback-token': 'token-1' };
  const post = (type: string | undefined, body: BodyInit) =>
    send({ method: 'POST', headers: { ...header, ...(type === undefined ? {} : { 'content-type': type }) }, body });

  it.each([
    ['text/xml', '<sale/>'],
    ['text/plain', '{"click_id":"1"}'],
    ['multipart/form-data; boundary=x', '--x--'],
    [undefined, 'click_id=1'],
    ['application/json', '["click_id"]'],
    ['application/json', '\uFEFF{'],
  ])('a body of type %s', async (type, body) => {
    const { status, json: answer, body: kept } = await post(type, new TextEncoder().encode(body));
    expect([status, answer, kept?.kind, kept?.reason]).toEqual([200, IGNORED, 'ignored', 'unreadable']);
    expect(kept?.raw._body).toBe(body.replace('\uFEFF', ''));
  });

  it('bytes that are no text', async () => {
    expect(await post('application/json', new Uint8Array([0x7b, 0xff, 0x00, 0x7d]))).toMatchObject({
      json: IGNORED,
      body: { raw: { _body: '{\uFFFD\uFFFD}' } },
    });
  });

  it('a body of any length, read no further than 16 kB', async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new TextEncoder().encode('x'.repeat(4096)));
      },
    });
    const request = { method: 'POST', body: endless, duplex: 'half', headers: { ...header } } as RequestInit;
    const { status, json: answer, body } = await send({ ...request, query: '?click_id=1' });
    expect([status, answer, body?.raw.click_id, body?.raw._body?.length]).toEqual([200, IGNORED, '1', 512]);
    expect(pulled).toBeLessThan(10);
  });

  it('a name that says two things keeps both, a value that is no scalar its JSON', async () => {
    const two = await send({ query: `?token=token-1&sale_amount=1&sale_amount=2&status=a&status=a` });
    expect(two).toMatchObject({
      json: IGNORED,
      body: { raw: { sale_amount: '1', 'sale_amount (again)': '2', status: 'a' } },
    });
    const nested = await send({
      ...json('{"token":"token-1","click_id":{"$ne":null},"status":[1],"x":true,"y":null}'),
    });
    expect(nested).toMatchObject({
      json: IGNORED,
      body: { raw: { click_id: '{"$ne":null}', status: '["1"]', x: 'true' } },
    });
    expect(nested.body?.raw).not.toHaveProperty('y');
  });
});

it('a sale is read behind any number of other parameters', async () => {
  const junk = Array.from({ length: 60 }, (_, index) => [`junk${index}`, 'x']);
  const query = `?${new URLSearchParams([...junk, ...Object.entries(await sale()), ['token', 'token-1']])}`;
  expect(await send({ query })).toMatchObject({ json: OK, body: { raw: { txn_id: 'T-1' } } });
});

it('numbers in JSON keep their digits: a click id is longer than what a number can hold', async () => {
  const { clickId } = await on.storedClick(null);
  const text = `{"click_id":${clickId},"offer_id":${on.offerId},"sale_amount":1234.50,"payout":1e2,"status":"approved"}`;
  const { json: answer, body } = await send({ ...json(text), query: '?token=token-1' });
  expect(answer).toEqual(OK);
  expect(body?.raw).toMatchObject({ click_id: String(clickId), sale_amount: '1234.50', payout: '100' });
  await at.drain();
  expect(await on.ledger()).toHaveLength(1);
});

it('a sale at every limit is credited', async () => {
  const values = {
    ...(await sale()),
    sale_amount: '10000000.00',
    payout: '10000000.00',
    currency: 'inr',
    country: 'in',
  };
  const ids = { txn_id: '😀'.repeat(64), goal_id: 'g'.repeat(64) };
  const query = `?${new URLSearchParams({ ...values, ...ids, token: 'token-1' })}`;
  expect(await send({ query })).toMatchObject({ json: OK });
  await at.drain();
  expect(await on.ledger()).toMatchObject([{ user_amount: '5000000.00', creator_amount: '5000000.00' }]);
});
