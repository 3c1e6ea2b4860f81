import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../../../../tests/support/postgres.ts';
import { openDatabase } from '../client.ts';
import { withUser } from '../tenancy.ts';
import type { Database } from '../types.ts';
import { roomWithoutKyc } from './profile.ts';

const YEAR = new Date('2026-03-31T18:30:00Z');
const LIMIT = 2_000_000n;

let database: TestDatabase;
let payout: Database;
let user_id: string;
let tenant_id: string;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  payout = openDatabase({ connectionString: database.payout });
  user_id = crypto.randomUUID();
  tenant_id = crypto.randomUUID();
  await sql('insert into users (user_id, created_at) values ($1, now())', [user_id]);
  await sql(`insert into tenants (tenant_id, name, created_at) values ($1, 'T', now())`, [tenant_id]);
});
afterEach(() => payout.end());

const sql = (text: string, params: unknown[]) => onServer(database.owner, (client) => client.query(text, params));
const room = (db: Database = payout) =>
  db.transaction((tx) => roomWithoutKyc(tx, { user_id, side: 'shopper', currency: 'INR', since: YEAR, limit: LIMIT }));

async function paid(amount: string, columns: { status?: string; currency?: string; side?: string; at?: string } = {}) {
  const { status = 'queued', currency = 'INR', side = 'shopper', at = '2026-11-02T10:00:00Z' } = columns;
  const id = crypto.randomUUID();
  await sql(
    `insert into payouts (payout_id, tenant_id, side, payee, user_id, currency, amount, status, creation_request_id, agcod_endpoint, agcod_region,
       partner_id, next_attempt_at, created_at, status_at)
     values ($1, $2, $3, $4, $4, $5, $6, $7, $8, 'https://a.test', 'eu-west-1', 'Test1', $9, $9, $9)`,
    [id, tenant_id, side, user_id, currency, amount, status, id.replaceAll('-', ''), at],
  );
}

test('the room is the limit less what was paid or is on its way since the year began, in paise', async () => {
  expect(await room()).toBe(LIMIT);
  await paid('12000.50');
  await paid('999.00', { status: 'cancelled' });
  await paid('999.00', { currency: 'USD' });
  await paid('999.00', { side: 'creator' });
  await paid('999.00', { at: '2026-03-31T18:29:59Z' });
  expect(await room()).toBe(799_950n);
  await paid('8000.00', { at: '2026-03-31T18:30:00Z' });
  expect(await room()).toBe(0n);
});

test('there is no limit for one whose PAN is known, and no room for one who is not there', async () => {
  await paid('50000.00');
  await sql(`update users set kyc_hash = '1.x' where user_id = $1`, [user_id]);
  expect(await room()).toBeNull();
  user_id = crypto.randomUUID();
  expect(await room()).toBe(0n);
});

test('a shopper asks the same of themselves', async () => {
  await paid('5000.00');
  const api = openDatabase({ connectionString: database.api });
  const params = { user_id, side: 'shopper' as const, currency: 'INR', since: YEAR, limit: LIMIT };
  expect(await withUser(api, user_id, (tx) => roomWithoutKyc(tx, params))).toBe(1_500_000n);
  await api.end();
});
