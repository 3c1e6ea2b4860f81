import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { type ClickMessage, parseClickMessage } from '../../packages/shared/contracts/click-message.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { takeClicks } from './click-consumer.ts';
import { stage } from './stage.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
afterEach(() => on.end());

const message = (changes: Partial<ClickMessage> = {}): ClickMessage => ({
  click_id: String(on.newClick(null).clickId),
  link_id: on.linkId,
  tenant_id: on.tenantId,
  visitor_id: null,
  country: 'IN',
  device: 'mobile',
  referrer_host: 'blog.example',
  sub_id: 'story',
  source: 'edge',
  ...changes,
});
const take = (db: typeof on.db, ...clicks: ClickMessage[]) =>
  db.transaction((tx) => takeClicks(tx, clicks, { random: on.random, now: on.clock.now() }));
const stored = () =>
  on.rows<{ click_id: string; reference_click_id: string | null; country: string; source: string }>(
    'select click_id, reference_click_id, country, source from clicks where tenant_id = $1 order by click_id',
    [on.tenantId],
  );
const counted = async () =>
  (
    await on.rows<{ clicks: string }>(
      'select coalesce(sum(clicks), 0) as clicks from daily_rollups where tenant_id = $1',
      [on.tenantId],
    )
  )[0]?.clicks;

it('stores a batch and counts it once, however often and wherever it is delivered', async () => {
  on = await stage(database);
  const batch = Array.from({ length: 100 }, () => message());
  await take(on.db, ...batch);
  const workers = Array.from({ length: 8 }, () => on.worker());
  await Promise.all(workers.map((worker) => take(worker, ...batch)));
  await Promise.all(workers.map((worker) => worker.end()));
  expect(await stored()).toHaveLength(100);
  expect(await counted()).toBe('100');
});

it('takes what the queue lets through at its longest', async () => {
  on = await stage(database);
  const longest = message({ referrer_host: 'x'.repeat(253), sub_id: '😀'.repeat(32) });
  expect(parseClickMessage(longest)).toEqual(longest);
  await take(on.db, longest);
  expect(await stored()).toHaveLength(1);
});

it('counts a batch once that eight consumers take at the same moment', async () => {
  on = await stage(database);
  const batch = Array.from({ length: 50 }, () => message());
  const workers = Array.from({ length: 8 }, () => on.worker());
  await Promise.all(workers.map((worker) => take(worker, ...batch)));
  await Promise.all(workers.map((worker) => worker.end()));
  expect(await stored()).toHaveLength(50);
  expect(await counted()).toBe('50');
});

it('stores two clicks with one id side by side (money rule 7), again and again the same', async () => {
  on = await stage(database);
  const first = message();
  const second = message({ click_id: first.click_id, visitor_id: await on.newVisitor(null) });
  await take(on.db, first, second);
  await take(on.db, second);
  await take(on.db, second, first);
  const rows = await stored();
  expect(rows.map((row) => row.click_id)).toEqual([first.click_id, String(BigInt(first.click_id) + 1n)]);
  expect(rows[1]?.reference_click_id).toBe(first.click_id);
  expect(await counted()).toBe('2');
});

it('completes a row that was made from a reference', async () => {
  on = await stage(database);
  const click = on.newClick(null);
  await on.take(on.event(click, { txn_id: 'A1' }));
  expect(await stored()).toMatchObject([{ source: 'reference', country: null }]);
  await take(on.db, message({ click_id: String(click.clickId) }));
  expect(await stored()).toMatchObject([{ source: 'edge', country: 'IN' }]);
  expect(await counted()).toBe('1');
});

it('answers the postbacks that waited for a click', async () => {
  on = await stage(database);
  const { clickId } = on.newClick(null);
  const event = on.event({ kind: 'bare', clickId } as never, { txn_id: 'A1' });
  await on.take(event);
  const { waiting } = await take(on.db, message({ click_id: String(clickId) }));
  expect(waiting.map((row) => row.unmatched_id)).toEqual([event.postbackId]);
});
