import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { ClickMessage } from '../../packages/shared/contracts/click-message.ts';
import type { Database } from '../../packages/shared/db/types.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { takeClicks } from './click-consumer.ts';
import { judgeAgain } from './late-clicks.ts';
import { type Click, stage } from './stage.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await stage(database);
  const rules = JSON.stringify({ geography: { enabled: true, points: 3 } });
  await on.owner.query(
    'insert into fraud_settings (tenant_id, version, rules, created_at) values ($1, 1, $2, to_timestamp($3))',
    [on.tenantId, rules, on.clock.now() / 1000],
  );
});
afterEach(() => on.end());

/** The click consumer's work with clicks from India. */
async function arrive(db: Database, ...clicks: Click[]): Promise<void> {
  const messages = clicks.map(
    (click): ClickMessage => ({
      click_id: String(click.clickId),
      link_id: on.linkId,
      tenant_id: on.tenantId,
      visitor_id: click.visitorId,
      country: 'IN',
      device: 'mobile',
      referrer_host: null,
      sub_id: null,
      source: 'edge',
    }),
  );
  const now = on.clock.now();
  const { overtaken } = await db.transaction((tx) => takeClicks(tx, messages, { random: on.random, now }));
  if (overtaken.length > 0) await db.transaction((tx) => judgeAgain(tx, overtaken, now));
}
const judged = () =>
  on.rows<{ status: string; reason: string | null; fraud_score: number; fraud_rules: string[]; click_country: string }>(
    `select l.status, l.reason, c.fraud_score, c.fraud_rules, c.click_country from conversions c
     join ledger l on l.conv_id = c.conv_id and l.tenant_id = c.tenant_id and l.created_at = c.created_at where c.tenant_id = $1 order by c.conv_id`,
    [on.tenantId],
  );
const MISMATCH = { status: 'review', reason: 'country_mismatch', fraud_score: 3, click_country: 'IN' };

it('a conversion that overtook its click is judged by the click’s country once the click is there (spec 10, rule 4)', async () => {
  const click = on.newClick(null);
  await on.take(on.event(click, { txn_id: 'A1', country: 'AE' }));
  expect(await judged()).toMatchObject([{ status: 'pending', fraud_score: 0, click_country: null }]);
  await arrive(on.db, click);
  expect(await judged()).toMatchObject([MISMATCH]);
  await arrive(on.db, click);
  expect(await judged()).toMatchObject([MISMATCH]);
  expect(await on.breaches()).toEqual([]);
});

it('the same country, or none at the sale, changes nothing but what is known of the click', async () => {
  const [same, unknown] = [on.newClick(null), on.newClick(null)];
  await on.take(on.event(same, { txn_id: 'B1', country: 'IN' }), on.event(unknown, { txn_id: 'B2' }));
  await arrive(on.db, same, unknown);
  const clear = { status: 'pending', fraud_score: 0, fraud_rules: [], click_country: 'IN' };
  expect(await judged()).toMatchObject([clear, clear]);
});

it('no order of the two is lost when click and conversion are written at the same moment', async () => {
  const clicks = Array.from({ length: 50 }, () => on.newClick(null));
  const [clickWorkers, saleWorkers] = [0, 1].map(() => Array.from({ length: 5 }, () => on.worker()));
  await Promise.all(
    clicks.map(async (click, index) => {
      // Each worker's database does one thing at a time; the tenth clicks of two workers meet.
      const [mine, theirs] = [clickWorkers?.[index % 5], saleWorkers?.[index % 5]];
      if (mine === undefined || theirs === undefined) throw new Error('five workers each');
      const event = on.event(click, { txn_id: `D${index}`, country: 'AE' });
      await Promise.all([queued(mine, () => arrive(mine, click)), queued(theirs, () => on.takeOn(theirs, event))]);
    }),
  );
  await Promise.all([...(clickWorkers ?? []), ...(saleWorkers ?? [])].map((worker) => worker.end()));
  expect(await judged()).toMatchObject(clicks.map(() => MISMATCH));
  expect(await on.breaches()).toEqual([]);
});

// The last one: a reward that is confirmed by hand has no journal event, which the audit would rightly name.
it('what was released, refused or reversed meanwhile stays so', async () => {
  const [released, cancelled] = [on.newClick(null), on.newClick(null)];
  await on.take(
    on.event(released, { txn_id: 'C0', country: 'AE' }),
    on.event(cancelled, { txn_id: 'C1', country: 'AE' }),
  );
  await on.rows(
    `update ledger l set status = 'confirmed' from conversions c where c.conv_id = l.conv_id and c.tenant_id = $1 and c.txn_id = 'C0'`,
    [on.tenantId],
  );
  await on.take(on.event(cancelled, { txn_id: 'C1', country: 'AE', status: 'cancelled' }));
  await arrive(on.db, released, cancelled);
  expect((await on.ledger()).map(({ status }) => status).sort()).toEqual(['confirmed', 'reversed']);
});

const queues = new WeakMap<Database, Promise<unknown>>();
function queued(db: Database, work: () => Promise<unknown>): Promise<unknown> {
  const next = (queues.get(db) ?? Promise.resolve()).then(work);
  queues.set(db, next);
  return next;
}
