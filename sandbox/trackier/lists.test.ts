import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { get, post, temporaryDirectory } from '../kit/testing.ts';
import { startTrackier } from './server.ts';
import { API_KEY, KEY, startForTest } from './testing.ts';

const NOVEMBER = 'start=2026-11-01&end=2026-11-30';
type Identified = { id: number; _id: string; created: string };

async function sell(url: string, count: number, more: Record<string, unknown> = {}) {
  for (let index = 0; index < count; index++) {
    const created = new Date(Date.parse('2026-11-10T00:00:00Z') + index * 1000).toISOString();
    const sale = { p1: `ref${index}`, campaign_id: 1001, sale_amount: '500', created, send: false, ...more };
    expect((await post(`${url}/buy`, sale)).status).toBe(200);
  }
}

test('campaigns come as the network lists them, with a tracking link of the publisher', async () => {
  const { url } = await startForTest();
  const { body } = await get(`${url}/v2/publisher/campaigns`, KEY);
  expect(body).toMatchObject({ success: true, data: { page: 1, count: 12 } });
  expect(body.data.campaigns[0]).toMatchObject({
    id: 1001,
    currency: 'INR',
    model: 'cps',
    payouts: [{ payout: 8, fixedPayout: null, geo: ['ALL'] }],
    tracking_link: `${url}/click?campaign_id=1001&pub_id=7001`,
  });
  const currencies = body.data.campaigns.map(({ currency }: { currency: string | null }) => currency);
  expect(currencies.filter((currency: string | null) => currency === null)).toHaveLength(1);
});

test('the key is accepted in the query too, and refused when wrong, in the shape of each endpoint', async () => {
  const { url } = await startForTest();
  expect((await get(`${url}/v2/publisher/campaigns?apiKey=${API_KEY}`)).status).toBe(200);
  const campaigns = await get(`${url}/v2/publisher/campaigns`, { 'x-api-key': 'wrong' });
  expect(campaigns.status).toBe(401);
  expect(campaigns.body).toEqual({
    success: false,
    error: { code: 102, codeMsg: expect.any(String), message: expect.any(String) },
  });
  const conversions = await get(`${url}/v2/publishers/conversions?${NOVEMBER}`);
  expect(conversions.body).toEqual({
    success: false,
    errors: [{ statusCode: 401, code: expect.anything(), codeMsg: expect.any(String), message: expect.any(String) }],
  });
  const csv = await get(`${url}/daily.csv?date=2026-11-01&key=wrong`);
  expect(csv.body).toEqual({ success: false, error: { code: 13, message: expect.any(String) } });
});

test('campaigns are paged, filtered by category and by approval', async () => {
  const { url } = await startForTest();
  const ids = async (query: string) =>
    (await get(`${url}/v2/publisher/campaigns?${query}`, KEY)).body.data.campaigns.map(({ id }: Identified) => id);
  expect(await ids('limit=5&page=3')).toEqual([1011, 1012]);
  expect(await ids('limit=5&page=4')).toEqual([]);
  expect(await ids('categories[]=travel&categories[]=beauty')).toEqual([1003, 1005, 1008, 1010, 1012]);
  await post(`${url}/__control/campaigns`, { upsert: [{ id: 2001, title: 'New', approved: false }], remove: [1012] });
  expect(await ids('limit=100')).toContain(2001);
  expect(await ids('showApproved=true')).not.toContain(2001);
  expect(await ids('limit=100')).not.toContain(1012);
});

test('the sixth call to the campaigns within a second is refused with 429', async () => {
  const { url } = await startForTest({ callsPerSecond: 5 });
  const statuses: number[] = [];
  for (let index = 0; index < 6; index++) {
    statuses.push((await get(`${url}/v2/publisher/campaigns`, KEY)).status);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
});

test('conversions are paged newest first with a total, without a sale amount, with our reference in p1', async () => {
  const { url } = await startForTest();
  await sell(url, 230);
  const pages = await Promise.all(
    [1, 2, 3, 4].map((page) => get(`${url}/v2/publishers/conversions?${NOVEMBER}&limit=100&page=${page}`, KEY)),
  );
  expect(pages.map(({ body }) => body.conversions.length)).toEqual([100, 100, 30, 0]);
  expect(pages[1]?.body.pagination).toEqual({ perPage: 100, currentPage: 2, total: 230 });
  const rows: Identified[] = pages.flatMap(({ body }) => body.conversions);
  expect(new Set(rows.map(({ _id }) => _id)).size).toBe(230);
  expect(rows[0]).toMatchObject({ p1: 'ref229', txn_id: null, payout: 40, campaign_id: 1001, publisher_id: '7001' });
  expect(rows[0]?.created).toBe('2026-11-10T00:03:49.000Z');
  expect(rows[0]).not.toHaveProperty('sale_amount');
});

test.each([
  '',
  'start=2026-11-01',
  'start=2026-11-02&end=2026-11-01',
  `${NOVEMBER}&limit=99`,
  `${NOVEMBER}&limit=1001`,
])('conversions for %j are refused', async (query) => {
  const { url } = await startForTest();
  const { status, body } = await get(`${url}/v2/publishers/conversions?${query}`, KEY);
  expect(status).toBe(400);
  expect(body.errors[0].statusCode).toBe(400);
});

test('conversions are filtered by day and status', async () => {
  const { url } = await startForTest();
  await sell(url, 1);
  await sell(url, 1, { status: 'cancelled' });
  await sell(url, 1, { created: '2026-12-01T00:00:00Z' });
  const total = async (query: string) =>
    (await get(`${url}/v2/publishers/conversions?${query}`, KEY)).body.pagination.total;
  expect(await total(NOVEMBER)).toBe(2);
  expect(await total(`${NOVEMBER}&status=cancelled`)).toBe(1);
  expect(await total('start=2026-12-01&end=2026-12-01')).toBe(1);
});

test('the daily file has every column and survives awkward order ids', async () => {
  const { url } = await startForTest();
  await sell(url, 1, { txn_id: 'a "quoted", order' });
  const response = await fetch(`${url}/daily.csv?date=2026-11-10&key=${API_KEY}`);
  const text = await response.text();
  expect(text.split('\r\n')[0]).toBe(
    '_id,click_id,p1,goal_id,txn_id,currency,payout,sale_amount,status,country,created,modified,campaign_id,publisher_id',
  );
  const [row] = parse<Record<string, string>>(text, { columns: true });
  expect(row).toMatchObject({ txn_id: 'a "quoted", order', payout: '40.00', sale_amount: '500', campaign_id: '1001' });
});

test.each([
  [1001, '333.33', {}, '26.67'],
  [1003, '1000', {}, '65.00'],
  [1003, '1000', { country: 'AE' }, '90.00'],
  [1004, '9999', {}, '60.00'],
  [1006, '1000', { goal_id: 'first-order' }, '150.00'],
  [1007, '10', {}, '250.50'],
])('campaign %i pays for %s with %o: %s', async (campaign_id, sale_amount, more, payout) => {
  const { url } = await startForTest();
  const { body } = await post(`${url}/buy`, { p1: 'r', campaign_id, sale_amount, ...more });
  expect(body.conversion.payout).toBe(payout);
});

test('a campaign without a currency pays in USD', async () => {
  const { url } = await startForTest();
  const { body } = await post(`${url}/buy`, { p1: 'r', campaign_id: 1011, sale_amount: '10' });
  expect(body.conversion.currency).toBe('USD');
});

test('faults strike their endpoint only', async () => {
  const { url } = await startForTest();
  await sell(url, 3);
  const fault = (endpoint: string, kind: string, more = {}) =>
    post(`${url}/__control/faults`, { endpoint, kind, ...more });
  const raw = async (path: string) => {
    const response = await fetch(`${url}${path}`, { headers: KEY });
    return { status: response.status, text: await response.text() };
  };
  const conversions = `/v2/publishers/conversions?${NOVEMBER}`;
  await fault('conversions', 'http-500');
  expect((await raw('/v2/publisher/campaigns')).status).toBe(200);
  expect((await raw(conversions)).status).toBe(500);
  await fault('conversions', 'error', { status: 200 });
  expect(await raw(conversions)).toMatchObject({ status: 200, text: expect.stringContaining('"success":false') });
  await fault('conversions', 'truncate');
  const cut = await raw(conversions);
  expect(() => JSON.parse(cut.text)).toThrow();
  await fault('csv', 'rate-limit');
  expect((await raw(`/daily.csv?date=2026-11-10&key=${API_KEY}`)).status).toBe(429);
  expect((await raw(conversions)).status).toBe(200);
});

test('campaign changes, clicks and conversions are there after a restart', async () => {
  const options = { dir: temporaryDirectory(), apiKey: API_KEY, publisherId: '7001' };
  const first = await startTrackier(options);
  await sell(first.url, 2);
  await post(`${first.url}/__control/campaigns`, { upsert: [{ id: 2001, title: 'New' }], remove: [1002] });
  const before = (await get(`${first.url}/__control/conversions`)).body.conversions;
  await first.close();
  const second = await startTrackier(options);
  await second.close();
  const { url } = await startForTest(options);
  expect((await get(`${url}/__control/conversions`)).body.conversions).toEqual(before);
  const { campaigns } = (await get(`${url}/v2/publisher/campaigns`, KEY)).body.data;
  const ids = campaigns.map(({ id }: Identified) => id);
  expect(ids).toContain(2001);
  expect(ids).not.toContain(1002);
  const again = await post(`${url}/buy`, { click_id: before[0].click_id, sale_amount: '1' });
  expect(again.body.conversion.p1).toBe(before[0].p1);
});
