import { parsePhone } from '@hissaback/shared/domain/phone';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../tests/support/postgres.ts';
import { INSTANT_LINK, PEOPLE } from './seed/data.ts';
import { seed } from './seed.ts';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  client = new pg.Client({ connectionString: database.owner });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const run = (trackier = 'http://127.0.0.1:9003') =>
  seed({ ownerUrl: database.owner, origin: 'http://localhost:9000', trackier });
const one = async (text: string) => (await client.query(text)).rows[0];
const counts = () =>
  one(`select (select count(*)::int from users) as users, (select count(*)::int from tenants) as tenants, (select count(*)::int from links) as links,
    (select count(*)::int from offers) as offers, (select count(*)::int from clicks) as clicks, (select count(*)::int from conversions) as conversions,
    (select count(*)::int from payouts) as payouts`);

test('the seed answers the same on every start, and writes nothing twice', async () => {
  const first = await run();
  const before = await counts();
  expect(await run()).toEqual(first);
  expect(await counts()).toEqual(before);
  expect(before).toMatchObject({ tenants: 2, clicks: 0, conversions: 0, payouts: 0 });
  expect(first.demo.smart_link).toBe('http://localhost:9000/demo');
});

test("the demo link's offer pays at least 5 % in rupees after 30 days, shared half and half", async () => {
  const { demo } = await run();
  const row = await one(
    `select o.base_commission_pct::float8 as pct, o.currency, o.cool_off_days, c.share_pct, l.campaign_id, l.tenant_id from links l
     join offers o using (offer_id) join campaigns c using (campaign_id) where link_id = '${demo.link_id}'`,
  );
  expect(row.pct).toBeGreaterThanOrEqual(5);
  expect(row).toMatchObject({
    currency: 'INR',
    cool_off_days: 30,
    share_pct: '50.00',
    campaign_id: demo.campaign_id,
    tenant_id: demo.tenant_id,
  });
});

test('the link for the quick demonstration has no cool-off', async () => {
  const row = await one(`select cool_off_days from offers where offer_id = ${INSTANT_LINK.offer_id}`);
  expect(row).toEqual({ cool_off_days: 0 });
});

test('what was changed in the demo survives the next start, and a network that moved is followed', async () => {
  const { demo } = await run();
  await client.query("update campaigns set name = 'Renamed' where campaign_id = $1", [demo.campaign_id]);
  await client.query('update links set published_version = version');
  await run('http://127.0.0.1:9999');
  expect(await one(`select name from campaigns where campaign_id = '${demo.campaign_id}'`)).toEqual({
    name: 'Renamed',
  });
  const link = await one(
    `select o.tracking_link, l.published_version < l.version as behind from links l join offers o using (offer_id) where link_id = '${demo.link_id}'`,
  );
  expect(link).toEqual({ tracking_link: 'http://127.0.0.1:9999/click?campaign_id=1001&pub_id=7001', behind: true });
});

test('everybody in the seed can log in by phone', () => {
  for (const { phone } of PEOPLE) expect(parsePhone(phone, ['IN'])).toMatchObject({ ok: true, e164: phone });
});
