import { openDatabase, sqlState } from '@hissaback/shared/db/client';
import { withOperator, withTenant, withUser } from '@hissaback/shared/db/tenancy';
import type { Database, Tx } from '@hissaback/shared/db/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';
import { type SeedRow, seed, type TwoTenants, twoTenants } from '../support/two-tenants.ts';

/** Every table with a tenant_id. What the api's role may do in a tenant: nothing at all, or nothing yet without being an operator, is said here. */
const TENANT_TABLES = new Map<string, 'own' | 'operators' | 'closed'>([
  ['tenants', 'own'],
  ['tenant_members', 'own'],
  ['fraud_settings', 'own'],
  ['audit_log', 'own'],
  ['campaigns', 'own'],
  ['links', 'own'],
  ['tenant_domains', 'own'],
  ['webhook_endpoints', 'own'],
  ['webhook_events', 'own'],
  ['webhook_deliveries', 'own'],
  ['widgets', 'own'],
  ['widget_tokens', 'own'],
  ['api_keys', 'own'],
  ['invitations', 'own'],
  ['clicks', 'own'],
  ['conversions', 'own'],
  ['daily_rollups', 'own'],
  ['ledger', 'own'],
  ['journal_entries', 'own'],
  ['payee_accounts', 'own'],
  ['payouts', 'own'],
  ['payout_items', 'own'],
  ['creator_kyc_holds', 'own'],
  ['postbacks', 'own'],
  ['reconciliation_findings', 'own'],
  ['notices', 'own'],
  ['unmatched_conversions', 'operators'],
  ['missing_cashback_claims', 'operators'],
  ['kill_switches', 'operators'],
  ['voucher_messages', 'operators'],
  ['conversion_identities', 'closed'],
  ['conversion_aliases', 'closed'],
  ['order_keys', 'closed'],
  ['order_keys_past', 'closed'],
  ['reward_cover', 'closed'],
]);
/** What belongs to a shopper, and the column that says to whom. */
const SHOPPER_TABLES = new Map([
  ['users', 'user_id'],
  ['visitors', 'user_id'],
  ['sessions', 'user_id'],
  ['clicks', 'user_id'],
  ['conversions', 'user_id'],
  ['ledger', 'user_id'],
  ['payouts', 'user_id'],
  ['payee_accounts', 'payee'],
  ['missing_cashback_claims', 'user_id'],
  ['notifications', 'user_id'],
  ['notification_preferences', 'user_id'],
]);
/** Rows of no tenant that everyone logged in may read. */
const SHARED = new Set(['offers']);

const REFUSED = '42501';

let database: TestDatabase;
let world: TwoTenants;
let allTables: string[];
let tenantTables: string[];
let api: Database;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  world = twoTenants();
  await onServer(database.owner, async (client) => {
    await seed(client, world);
    const tables = async (condition: string): Promise<string[]> => {
      const { rows } = await client.query<{ name: string }>(
        `select relname as name from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
         and ${condition} order by 1`,
      );
      return rows.map((row) => row.name);
    };
    allTables = await tables('true');
    tenantTables = await tables(
      "exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)",
    );
  });
});
afterAll(async () => {
  await database.drop();
});
beforeEach(() => {
  api = openDatabase({ connectionString: database.api });
});
afterEach(async () => {
  await api.end();
});

/** Answers the SQLSTATE if the statement is refused, and leaves the transaction as it was. */
async function attempt<T>(tx: Tx, work: () => Promise<T>): Promise<T | string> {
  await tx.query('savepoint attempt');
  try {
    return await work();
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined) throw error;
    return state;
  } finally {
    await tx.query('rollback to savepoint attempt');
  }
}

/** The distinct values of a column that can be seen, or the SQLSTATE of the refusal. */
async function seen(tx: Tx, table: string, column: string): Promise<string[] | string> {
  return attempt(tx, async () => {
    const { rows } = await tx.query<{ value: string }>(
      `select distinct ${column}::text as value from ${table} order by 1`,
    );
    return rows.map((row) => row.value);
  });
}

function rowOf(table: string, tenant: string): SeedRow['row'] {
  const found = world.rows.find((row) => row.table === table && row.tenant === tenant);
  if (!found) throw new Error(`the seed has no row of ${table}`);
  return found.row;
}

test('the lists of this suite name every table with a tenant_id, and the seed has rows of each for both tenants', () => {
  expect([...TENANT_TABLES.keys()].sort()).toEqual(tenantTables);
  for (const table of tenantTables) for (const tenant of world.tenants) rowOf(table, tenant);
});

describe('as hissaback_api', () => {
  test('without a tenant, user or operator no table shows a row', async () => {
    await api.transaction(async (tx) => {
      for (const table of allTables) {
        if (SHARED.has(table)) continue;
        const found = await attempt(tx, async () => (await tx.query(`select from ${table}`)).rowCount);
        if (found === REFUSED) continue; // no privilege on the whole table; some columns may be granted
        expect(found, table).toBe(0);
      }
      for (const table of tenantTables) {
        const found = await seen(tx, table, 'tenant_id');
        expect(found, table).toEqual(TENANT_TABLES.get(table) === 'closed' ? REFUSED : []);
      }
    });
  });

  test('with tenant A every table shows rows of A and none of B', async () => {
    const [a] = world.tenants;
    await withTenant(api, a, async (tx) => {
      for (const [table, access] of TENANT_TABLES) {
        const expected = access === 'own' ? [a] : access === 'operators' ? [] : REFUSED;
        expect(await seen(tx, table, 'tenant_id'), table).toEqual(expected);
      }
    });
  });

  test.each([...TENANT_TABLES.keys()])('with tenant A nothing of B can be written: %s', async (table) => {
    const [a, b] = world.tenants;
    const row = rowOf(table, b);
    const columns = Object.keys(row);
    const places = columns.map((_, index) => `$${index + 1}`).join(', ');
    await withTenant(api, a, async (tx) => {
      const inserted = await attempt(tx, () =>
        tx.query(`insert into ${table} (${columns.join(', ')}) values (${places})`, Object.values(row)),
      );
      expect(inserted, 'insert').toBe(REFUSED);
      const nothing = [0, REFUSED];
      const updated = await attempt(
        tx,
        async () => (await tx.query(`update ${table} set tenant_id = tenant_id where tenant_id = $1`, [b])).rowCount,
      );
      expect(nothing, 'update').toContain(updated);
      const deleted = await attempt(
        tx,
        async () => (await tx.query(`delete from ${table} where tenant_id = $1`, [b])).rowCount,
      );
      expect(nothing, 'delete').toContain(deleted);
      const moved = await attempt(
        tx,
        async () => (await tx.query(`update ${table} set tenant_id = $2 where tenant_id = $1`, [a, b])).rowCount,
      );
      expect(moved, 'own rows cannot be given away').toBe(REFUSED);
    });
  });

  test('with a user, own rows of every tenant are seen and nobody else’s (money rule 20)', async () => {
    const [me] = world.shoppers;
    await withUser(api, me, async (tx) => {
      for (const [table, column] of SHOPPER_TABLES) expect(await seen(tx, table, column), table).toEqual([me]);
      for (const table of ['clicks', 'conversions', 'ledger', 'payouts', 'payee_accounts', 'payout_items']) {
        expect(await seen(tx, table, 'tenant_id'), table).toEqual([...world.tenants].sort());
      }
      const items = await tx.query('select from payout_items i join payouts p using (payout_id) where p.user_id = $1', [
        me,
      ]);
      const { rowCount } = await tx.query('select from payout_items');
      expect(rowCount).toBe(items.rowCount);
    });
  });

  test('with a user, nothing of a tenant is seen but the tenants one is a member of', async () => {
    const personal = [...SHOPPER_TABLES.keys(), 'payout_items', 'offers'];
    const [shopper] = world.shoppers;
    await withUser(api, shopper, async (tx) => {
      for (const table of tenantTables) {
        if (personal.includes(table)) continue;
        expect([[], REFUSED], table).toContainEqual(await seen(tx, table, 'tenant_id'));
      }
    });
    await withUser(api, world.creators[0], async (tx) => {
      for (const table of ['tenants', 'tenant_members'])
        expect(await seen(tx, table, 'tenant_id'), table).toEqual([world.tenants[0]]);
    });
  });

  test('withOperator shows every tenant to an operator and nothing to anyone else', async () => {
    await withOperator(api, world.operator, async (tx) => {
      for (const [table, access] of TENANT_TABLES) {
        expect(await seen(tx, table, 'tenant_id'), table).toEqual(
          access === 'closed' ? REFUSED : [...world.tenants].sort(),
        );
      }
    });
    await withOperator(api, world.creators[0], async (tx) => {
      for (const [table, access] of TENANT_TABLES) {
        expect(await seen(tx, table, 'tenant_id'), table).toEqual(access === 'closed' ? REFUSED : []);
      }
    });
  });

  test('a voucher code is readable by the payout role alone', async () => {
    for (const url of [database.api, database.webhook]) {
      await onServer(url, (client) =>
        expect(client.query('select voucher_code from payouts')).rejects.toMatchObject({ code: REFUSED }),
      );
    }
    await onServer(database.payout, (client) => client.query('select voucher_code from payouts'));
  });
});

describe('a pooled connection used again (fault 40)', () => {
  test('after a tenant’s transaction the setting is empty and no row is seen', async () => {
    await withTenant(api, world.tenants[0], async (tx) => {
      expect(await seen(tx, 'campaigns', 'tenant_id')).toEqual([world.tenants[0]]);
    });
    await api.transaction(async (tx) => {
      expect((await tx.query("select current_setting('app.tenant', true) as tenant")).rows).toEqual([{ tenant: '' }]);
      expect(await seen(tx, 'campaigns', 'tenant_id')).toEqual([]);
    });
  });

  test('a key that somebody left on the session is not inherited', async () => {
    await api.transaction((tx) => tx.query("select set_config('app.tenant', $1, false)", [world.tenants[1]]));
    await api.transaction(async (tx) => expect(await seen(tx, 'campaigns', 'tenant_id')).toEqual([]));
    await withUser(api, world.shoppers[0], async (tx) => expect(await seen(tx, 'campaigns', 'tenant_id')).toEqual([]));
  });

  test('a malformed key is an error, never another tenant', async () => {
    await expect(
      api.transaction(async (tx) => {
        await tx.query("set local app.tenant = 'everyone'");
        await tx.query('select from campaigns');
      }),
    ).rejects.toMatchObject({ code: '22P02' });
  });
});
