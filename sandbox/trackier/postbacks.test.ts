import { expect, test } from 'vitest';
import { eventually, get, post, temporaryDirectory } from '../kit/testing.ts';
import { startTrackier } from './server.ts';
import { API_KEY, startForTest, startReceiver } from './testing.ts';

const SALE = { p1: 'our-reference', campaign_id: 1001, sale_amount: '1000.00', txn_id: 'O-1' };
type Listed = { state: string; attempts: { status: number | null }[] };

test('a sale fires one postback with every macro substituted and the token', async () => {
  const { webhookUrl, received } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  const { body } = await post(`${url}/buy`, { ...SALE, goal_id: 'g1', client_ip: '203.0.113.9' });
  expect(body.conversion).toMatchObject({ status: 'approved', payout: '80.00', currency: 'INR', publisher_id: '7001' });
  expect(body.postbacks[0]).toMatchObject({ state: 'delivered', attempts: [{ status: 200 }] });
  expect(received).toHaveLength(1);
  expect(Object.fromEntries(received[0]?.query ?? [])).toEqual({
    click_id: 'our-reference',
    offer_id: '1001',
    sale_amount: '1000.00',
    status: 'approved',
    txn_id: 'O-1',
    payout: '80',
    currency: 'INR',
    goal_id: 'g1',
    country: 'IN',
    token: 'secret',
  });
  expect(received[0]?.ip).toBe('203.0.113.9');
});

test('the token is not shown again', async () => {
  const { webhookUrl } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  const { body } = await post(`${url}/buy`, SALE);
  const { body: listed } = await get(`${url}/__control/postbacks`);
  expect(JSON.stringify([body, listed])).not.toContain('secret');
});

test('a refused postback is repeated five times and no more', async () => {
  const { webhookUrl, received } = await startReceiver(503);
  const { url } = await startForTest({ webhookUrl });
  const { body } = await post(`${url}/buy`, { ...SALE, wait: true });
  expect(received).toHaveLength(6);
  expect(new Set(received.map(({ raw }) => raw)).size).toBe(1);
  expect(body.postbacks[0].state).toBe('failed');
  expect(body.postbacks[0].attempts).toHaveLength(6);
});

test('repetition ends with the first acceptance', async () => {
  const { webhookUrl, received } = await startReceiver(500, 429, 302, 200);
  const { url } = await startForTest({ webhookUrl });
  const { body } = await post(`${url}/buy`, { ...SALE, wait: true });
  expect(received).toHaveLength(4);
  expect(body.postbacks[0].state).toBe('delivered');
});

test('a connection that fails counts as refused, and each wait is twice the one before', async () => {
  const { url } = await startForTest({ webhookUrl: 'http://127.0.0.1:9/', retryBaseMs: 8 });
  const { body } = await post(`${url}/buy`, { ...SALE, wait: true });
  const { attempts } = body.postbacks[0];
  expect(attempts.map(({ status }: { status: number | null }) => status)).toEqual(Array(6).fill(null));
  const times = attempts.map(({ at }: { at: string }) => Date.parse(at));
  for (const [index, wait] of [8, 16, 32, 64, 128].entries()) {
    // A timer may fire a millisecond early.
    expect(times[index + 1] - times[index]).toBeGreaterThanOrEqual(wait - 2);
  }
});

test('the answer comes after the first attempt, later ones go on behind it', async () => {
  const { webhookUrl } = await startReceiver(500, 200);
  const { url } = await startForTest({ webhookUrl, retryBaseMs: 30 });
  const { body } = await post(`${url}/buy`, SALE);
  expect(body.postbacks[0]).toMatchObject({ state: 'pending', attempts: [{ status: 500 }] });
  await eventually(async () => {
    const { postbacks } = (await get(`${url}/__control/postbacks`)).body;
    return postbacks.every(({ state }: Listed) => state === 'delivered') ? true : undefined;
  });
});

test('only approved conversions fire a postback, unless told otherwise', async () => {
  const { webhookUrl, received } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  for (const status of ['pending', 'cancelled', 'rejected']) {
    expect((await post(`${url}/buy`, { ...SALE, status })).body.postbacks).toEqual([]);
  }
  await post(`${url}/buy`, { ...SALE, send: false });
  expect(received).toHaveLength(0);
  await post(`${url}/buy`, { ...SALE, status: 'pending', send: true });
  expect(received).toHaveLength(1);
});

test('a later change of status fires nothing, unless told otherwise', async () => {
  const { webhookUrl, received } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  const { conversion } = (await post(`${url}/buy`, SALE)).body;
  const changed = await post(`${url}/__control/conversions/${conversion._id}`, { status: 'cancelled', payout: '0' });
  expect(changed.body).toMatchObject({
    conversion: { status: 'cancelled', payout: '0', p1: 'our-reference' },
    postbacks: [],
  });
  expect(received).toHaveLength(1);
  await post(`${url}/__control/conversions/${conversion._id}`, { status: 'rejected', postback: true });
  expect(received[1]?.query.get('status')).toBe('rejected');
  expect((await post(`${url}/__control/conversions/none`, { status: 'rejected' })).status).toBe(404);
});

test('parameters can be missing, empty, unsubstituted or anything else', async () => {
  const { webhookUrl, received } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  const odd = { omit: ['country', 'token'], empty: ['status'], verbatim: ['sale_amount'], override: { payout: 'abc' } };
  await post(`${url}/buy`, { ...SALE, ...odd });
  const raw = received[0]?.raw ?? '';
  expect(raw).toContain('sale_amount={sale_amount}');
  expect(raw).toContain('&status=&');
  expect(raw).toContain('payout=abc');
  expect(raw).not.toMatch(/country|token/);
});

test('a conversion without an order id sends an empty one', async () => {
  const { webhookUrl, received } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  await post(`${url}/buy`, { ...SALE, txn_id: null });
  expect(received[0]?.query.get('txn_id')).toBe('');
});

test('duplicates are further copies of one conversion', async () => {
  const { webhookUrl, received } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  await post(`${url}/buy`, { ...SALE, duplicate: 9 });
  expect(received).toHaveLength(10);
  expect((await get(`${url}/__control/conversions`)).body.conversions).toHaveLength(1);
});

test('what was pending is sent after a restart', async () => {
  const dir = temporaryDirectory();
  const { webhookUrl, received } = await startReceiver(503, 200);
  const slow = { dir, apiKey: API_KEY, publisherId: '7001', webhookUrl, retryBaseMs: 300 };
  const first = await startTrackier(slow);
  await post(`${first.url}/buy`, SALE);
  await first.close();
  const { url } = await startForTest(slow);
  await eventually(async () => (received.length === 2 ? true : undefined));
  const [postback] = await eventually(async () => {
    const { postbacks } = (await get(`${url}/__control/postbacks`)).body;
    return postbacks[0].state === 'delivered' ? postbacks : undefined;
  });
  expect(postback.attempts).toHaveLength(2);
});
