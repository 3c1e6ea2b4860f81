import { mintId } from '@hissaback/shared/domain/click-id';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
let mine: { tenant_id: string; token: string };
let link_id: string;
beforeAll(async () => {
  on = await stage();
});
beforeEach(async () => {
  mine = await on.tenant();
  link_id = await on.link(mine.tenant_id);
});
afterAll(() => on.close());

let salt = 0;
/** A click at that time; answers its id. */
async function click(at: number, columns: Record<string, unknown> = {}): Promise<string> {
  const bytes = Uint8Array.of(0, ++salt >> 8, salt);
  const id = String(mintId({ now: () => at }, { bytes: () => bytes }));
  const row = { tenant_id: mine.tenant_id, link_id, source: 'edge', device: 'mobile', ...columns };
  const names = Object.keys(row);
  await on.sql(
    `insert into clicks (click_id, created_at, ${names.join(', ')}) values ($1, id_time($1), ${names.map((_, n) => `$${n + 2}`).join(', ')})`,
    [id, ...Object.values(row)],
  );
  return id;
}
const sale = (at: number, change: Partial<Parameters<Stage['reward']>[0]> = {}) =>
  on.reward({
    ...{ tenant_id: mine.tenant_id, link_id, at: new Date(at), status: 'pending' },
    ...{ user_amount: '40.00', creator_amount: '60.00', ...change },
  });
const report = (path: string) => on.call('GET', `/v1/analytics/${path}`, { token: mine.token });

/** Midnight in India that began yesterday. */
function yesterday(): number {
  const shift = 5.5 * 3_600_000;
  return Math.floor((on.clock.now() + shift) / 86_400_000) * 86_400_000 - shift - 86_400_000;
}

test.each([
  ['America/New_York', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z', 23],
  ['America/New_York', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', 25],
  ['Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-05T13:30:00Z', 25],
  ['Africa/Cairo', '2026-04-23T22:00:00Z', '2026-04-24T21:00:00Z', 23],
])('a day of %s in which the clocks are changed (%s) is one day, and has its hours', async (zone, from, to, hours) => {
  const points = async (interval: string) => {
    const { json } = await report(`timeseries?interval=${interval}&time_zone=${zone}&from=${from}&to=${to}`);
    return (json.points as { start: string }[]).map(({ start }) => start.replace('.000Z', 'Z'));
  };
  expect(await points('day')).toEqual([from]);
  const starts = await points('hour');
  expect(starts).toHaveLength(hours);
  expect([starts[0], new Set(starts).size]).toEqual([from, hours]);
  const minutes = new Intl.DateTimeFormat('en', { timeZone: zone, minute: 'numeric' });
  // The one hour that is half as long may begin at half past.
  expect(starts.filter((start) => minutes.format(new Date(start)) !== '0').length).toBeLessThanOrEqual(1);
});

test("IST is India's time, whatever PostgreSQL takes it for", async () => {
  const starts = async (zone: string) => (await report(`timeseries?period=1d&time_zone=${zone}`)).json.points[0].start;
  expect(await starts('IST')).toBe(await starts('Asia/Kolkata'));
});

test("days are India's unless another zone is named, and a day without traffic is a point too", async () => {
  const midnight = yesterday();
  const visitor_id = on.uuid();
  await click(midnight - 1000);
  await click(midnight + 1000, { visitor_id });
  await click(midnight + 2000, { visitor_id });
  await sale(midnight + 3000);
  await sale(midnight + 4000, { status: 'rejected' });
  const { status, json } = await report('timeseries?period=3d');
  expect(status).toBe(200);
  expect(json.points).toHaveLength(4);
  expect(json.points.map((point: { clicks: number }) => point.clicks)).toEqual([0, 1, 2, 0]);
  expect(json.points[2]).toEqual({
    ...{ start: new Date(midnight).toISOString(), clicks: 2, unique_clicks: 1, conversions: 2 },
    ...{ order_value: '2000.00', earnings: '60.00', shared: '40.00' },
  });
  expect(json.totals).toMatchObject({ clicks: 3, unique_clicks: 2, conversions: 2, earnings: '60.00' });
  const utc = (await report('timeseries?period=3d&time_zone=UTC')).json;
  expect(utc.points.every((point: { start: string }) => point.start.endsWith('T00:00:00.000Z'))).toBe(true);
  expect(utc.totals.clicks).toBe(3);
});

test('hours begin where the zone has them, and uniqueness is counted within each and within the whole', async () => {
  const midnight = yesterday();
  const visitor_id = on.uuid();
  for (const minutes of [10, 50, 70]) await click(midnight + minutes * 60_000, { visitor_id });
  const range = `from=${new Date(midnight).toISOString()}&to=${new Date(midnight + 3 * 3_600_000).toISOString()}`;
  const { json } = await report(`timeseries?interval=hour&${range}`);
  expect(
    json.points.map((point: { clicks: number; unique_clicks: number }) => [point.clicks, point.unique_clicks]),
  ).toEqual([
    [2, 1],
    [1, 1],
    [0, 0],
  ]);
  expect(json.points[0].start).toBe(new Date(midnight).toISOString());
  expect(json.totals).toMatchObject({ clicks: 3, unique_clicks: 1 });
});

test('a report counts the own tenant only, and narrowed to a link, campaign or offer that alone', async () => {
  const at = yesterday() + 1000;
  const other = await on.tenant();
  const foreign = await on.link(other.tenant_id);
  await click(at);
  await click(at, { tenant_id: other.tenant_id, link_id: foreign });
  const second = await on.link(mine.tenant_id);
  await click(at, { link_id: second });
  await sale(at, { link_id: second });
  const clicks = async (query: string) => (await report(`timeseries?${query}`)).json.totals;
  expect(await clicks('')).toMatchObject({ clicks: 2, conversions: 1 });
  expect(await clicks(`link_id=${second}`)).toMatchObject({ clicks: 1, conversions: 1, earnings: '60.00' });
  expect(await clicks(`link_id=${link_id}`)).toMatchObject({ clicks: 1, conversions: 0, earnings: '0.00' });
  expect(await clicks(`link_id=${foreign}`)).toMatchObject({ clicks: 0 });
  expect(await clicks('currency=USD')).toMatchObject({
    clicks: 2,
    conversions: 1,
    earnings: '0.00',
    order_value: '0.00',
  });
});

test('a breakdown puts clicks and sales of one kind together, the strongest first, and what has none under null', async () => {
  const at = yesterday() + 1000;
  for (const country of ['IN', 'IN', 'AE', null])
    await click(at, { country, sub_id: country === 'IN' ? '=bio' : null });
  const conv_id = await sale(at);
  await on.sql(
    "insert into clicks (click_id, created_at, tenant_id, link_id, country, device, source) select click_id, id_time(click_id), tenant_id, link_id, 'AE', 'desktop', 'edge' from conversions where conv_id = $1",
    [conv_id],
  );
  on.clock.advance(1);
  const { json } = await report('breakdown?by=country');
  expect(json.rows).toMatchObject([
    { key: 'AE', clicks: 2, conversions: 1, earnings: '60.00', shared: '40.00' },
    { key: 'IN', clicks: 2, conversions: 0, earnings: '0.00' },
    { key: null, label: null, clicks: 1 },
  ]);
  expect((await report('breakdown?by=country&limit=1')).json.rows).toHaveLength(1);
  expect((await report('breakdown?by=device')).json.rows).toMatchObject([
    { key: 'mobile', clicks: 4 },
    { key: 'desktop', clicks: 1, conversions: 1 },
  ]);
  const [slug] = await on.sql<{ slug: string }>('select slug from links where link_id = $1', [link_id]);
  expect((await report('breakdown?by=link')).json.rows).toMatchObject([{ key: link_id, label: slug?.slug, clicks: 5 }]);
  expect((await report('breakdown?by=offer')).json.rows).toMatchObject([{ label: 'Nila', clicks: 5 }]);
  expect((await report('breakdown?by=campaign')).json.rows).toMatchObject([{ label: 'Diwali', clicks: 5 }]);
  const csv = await report('breakdown.csv?by=sub_id');
  expect(csv.headers.get('content-type')).toContain('text/csv');
  expect(csv.text).toContain('"\'=bio","\'=bio",2,2,0,0.00,0.00,0.00,INR\r\n');
});

test('a time series is a CSV file if asked', async () => {
  const { text } = await report('timeseries.csv?period=1d');
  expect(text.split('\r\n')).toHaveLength(4);
  expect(text).toMatch(/^start,clicks,unique_clicks,conversions,order_value,earnings,shared,currency\r\n/);
});

test.each([
  'time_zone=EST',
  'time_zone=BST',
  'time_zone=Mars/Base',
  "time_zone=UTC'",
  'time_zone=',
  'interval=week',
  'interval=hour&period=60d',
  'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
  'from=2020-01-01T00:00:00Z',
  'period=400d',
  'currency=inr',
  'link_id=x',
])('timeseries?%s is 422', async (query) => {
  expect((await report(`timeseries?${query}`)).status).toBe(422);
});

test.each(['by=user', '', 'by=link&limit=0', 'by=link&limit=1001'])('breakdown?%s is 422', async (query) => {
  expect((await report(`breakdown?${query}`)).status).toBe(422);
});

test('another tenant is refused before anything is looked at', async () => {
  const other = await on.tenant();
  for (const path of ['timeseries', 'breakdown', 'timeseries.csv', 'breakdown.csv']) {
    expect((await report(`${path}?tenant_id=${other.tenant_id}&period=x`)).status).toBe(403);
  }
});
