import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';
import {
  ID_TIME,
  insert,
  newId,
  outcome,
  type Row,
  seed,
  type TwoTenants,
  twoTenants,
} from '../support/two-tenants.ts';

const HISTORY = '23001';
const REFUSED = '42501';
const DUPLICATE = '23505';
const NO_SUCH_ROW = '23503';
const CHECK = '23514';

let database: TestDatabase;
let client: pg.Client;
let world: TwoTenants;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  client = new pg.Client({ connectionString: database.owner });
  await client.connect();
  world = twoTenants();
  await seed(client, world);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});
beforeEach(async () => {
  await client.query('begin');
});
afterEach(async () => {
  await client.query('rollback');
});

function seeded(table: string, tenant = 0): Row {
  const found = world.rows.find(
    (row) => row.table === table && (row.tenant === undefined || row.tenant === world.tenants[tenant]),
  );
  if (!found) throw new Error(`the seed has no row of ${table}`);
  return found.row;
}
const attempt = (work: () => Promise<unknown>): Promise<string> => outcome(client, work);

describe('the journal', () => {
  const posting = (): Row => ({ ...seeded('journal_entries'), event_id: `accrual:${newId()}` });

  test('takes an event whose postings sum to zero', async () => {
    const first = posting();
    expect(
      await attempt(() => insert(client, 'journal_entries', first, { ...first, account: 'other', amount: '100.00' })),
    ).toBe('done');
  });

  test('refuses an event whose postings do not sum to zero', async () => {
    const first = posting();
    expect(await attempt(() => insert(client, 'journal_entries', first))).toBe(CHECK);
    expect(
      await attempt(() => insert(client, 'journal_entries', first, { ...first, account: 'other', amount: '99.99' })),
    ).toBe(CHECK);
  });

  test('refuses an event that balances across currencies or across events only', async () => {
    const first = posting();
    const other = { ...first, account: 'other', amount: '100.00' };
    expect(await attempt(() => insert(client, 'journal_entries', first, { ...other, currency: 'USD' }))).toBe(CHECK);
    expect(await attempt(() => insert(client, 'journal_entries', first, { ...other, event_id: 'another' }))).toBe(
      CHECK,
    );
  });

  test('refuses an event written twice', async () => {
    const first = posting();
    const event: [Row, Row] = [first, { ...first, account: 'other', amount: '100.00' }];
    await insert(client, 'journal_entries', ...event);
    expect(await attempt(() => insert(client, 'journal_entries', ...event))).toBe(DUPLICATE);
  });
});

/** Kept for ever beside the money itself: who a conversion is, what a payout pays, what the network said. */
const PERMANENT = ['conversion_identities', 'conversion_aliases', 'payout_items', 'postbacks'];

describe('append-only tables', () => {
  test.each(['journal_entries', 'audit_log'])(
    '%s: update, delete and truncate are refused, to the owner and a superuser too',
    async (table) => {
      for (const role of ['', 'set local role hissaback_owner']) {
        if (role) {
          // The owner under FORCE sees no row without a policy; triggers must hold even where somebody gives it one.
          await client.query(`create policy test_owner on ${table} to hissaback_owner using (true)`);
          await client.query(role);
        }
        expect(
          await attempt(() => client.query(`update ${table} set created_at = created_at + interval '1 second'`)),
        ).toBe(HISTORY);
        expect(await attempt(() => client.query(`delete from ${table}`))).toBe(HISTORY);
        expect(await attempt(() => client.query(`truncate ${table}`))).toBe(HISTORY);
      }
    },
  );

  test.each(['ledger', 'conversions', 'payouts', ...PERMANENT])(
    '%s: delete and truncate are refused, to a superuser too',
    async (table) => {
      const pointing = await client.query<{ name: string; referrer: string }>(
        `select conname as name, conrelid::regclass::text as referrer from pg_constraint
         where confrelid = $1::regclass and contype = 'f' and conparentid = 0`,
        [table],
      );
      // A row that others point at would be refused by their foreign keys first.
      for (const { name, referrer } of pointing.rows)
        await client.query(`alter table ${referrer} drop constraint ${name}`);
      expect(await attempt(() => client.query(`delete from ${table}`))).toBe(HISTORY);
      expect(await attempt(() => client.query(`truncate ${table}`))).toBe(HISTORY);
    },
  );

  test('a partition that is named directly keeps its rows as well', async () => {
    const { rows } = await client.query<{ partition: string }>(
      `select c.relname as partition from pg_class c
       where c.relispartition and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname ~ '^(ledger|conversions|postbacks)_'`,
    );
    expect(rows.length).toBeGreaterThan(30);
    for (const { partition } of rows)
      expect(await attempt(() => client.query(`truncate ${partition}`)), partition).toBe(HISTORY);
    const held = await client.query<{ table: string }>(
      'select distinct tableoid::regclass::text as table from ledger union select tableoid::regclass::text from conversions',
    );
    for (const { table } of held.rows) {
      expect(await attempt(() => client.query(`delete from ${table}`)), table).toBe(HISTORY);
      expect(await attempt(() => client.query(`update ${table} set tenant_id = gen_random_uuid()`)), table).toBe(
        HISTORY,
      );
    }
  });

  test('no worker may update or delete a journal row, delete a money row, or truncate anything', async () => {
    const { rows } = await client.query(
      `select w || ' ' || p || ' ' || relname as found
       from pg_class, unnest(array['hissaback_api', 'hissaback_ingest', 'hissaback_payout']) w, unnest(array['update', 'delete', 'truncate']) p
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and case when p = 'update' then relname in ('journal_entries', 'audit_log') and has_any_column_privilege(w, oid, p)
                  when p = 'delete' then relname in ('journal_entries', 'audit_log', 'ledger', 'conversions', 'conversion_identities', 'conversion_aliases',
                                                     'payouts', 'payout_items', 'payee_accounts', 'postbacks') and has_table_privilege(w, oid, p)
                  else has_table_privilege(w, oid, p) end`,
    );
    expect(rows).toEqual([]);
  });

  test('the ingest role is refused at the journal before any trigger', async () => {
    await onServer(database.webhook, async (ingest) => {
      await expect(ingest.query('update journal_entries set amount = 1')).rejects.toMatchObject({ code: REFUSED });
      await expect(ingest.query('delete from journal_entries')).rejects.toMatchObject({ code: REFUSED });
      await expect(ingest.query('truncate journal_entries')).rejects.toMatchObject({ code: REFUSED });
    });
  });
});

describe('immutable columns', () => {
  // Every column is in one of the two lists, so that a new one must be put where it belongs.
  const COLUMNS: Record<string, { fixed: string[]; free: string[] }> = {
    ledger: {
      fixed: [
        ...[
          'led_id',
          'tenant_id',
          'created_at',
          'conv_id',
          'seq',
          'user_id',
          'visitor_id',
          'currency',
          'user_pct',
          'user_amount',
          'creator_amount',
        ],
        'release_at',
      ],
      free: ['status', 'reason', 'status_at'],
    },
    conversions: {
      fixed: [
        ...[
          'conv_id',
          'created_at',
          'tenant_id',
          'click_id',
          'link_id',
          'campaign_id',
          'offer_id',
          'user_id',
          'visitor_id',
          'order_value',
          'net_commission',
        ],
        ...['platform_fee', 'currency', 'txn_id', 'network_id', 'cool_off_days', 'received_at'],
      ],
      free: ['status', 'goal_id', 'country', 'click_country', 'fraud_score', 'fraud_rules', 'fraud_inputs'],
    },
    payouts: {
      fixed: [
        ...[
          'payout_id',
          'tenant_id',
          'side',
          'payee',
          'user_id',
          'method',
          'currency',
          'amount',
          'creation_request_id',
          'agcod_endpoint',
          'agcod_region',
        ],
        ...['partner_id', 'gc_id'],
      ],
      free: [
        ...[
          'status',
          'card_may_exist',
          'attempts',
          'first_attempt_at',
          'next_attempt_at',
          'intent_stored_at',
          'voucher_code',
          'issued_at',
          'sms_attempts',
        ],
        ...['sms_reference', 'paid_at', 'error_code', 'error_type', 'resolved_at', 'resolved_by', 'status_at'],
        ...['held_at', 'held_by', 'cancelling_at', 'created_at'],
      ],
    },
    conversion_identities: {
      fixed: [
        ...[
          'conv_id',
          'tenant_id',
          'occurred_at',
          'click_id',
          'link_id',
          'visitor_id',
          'offer_id',
          'txn_id',
          'network_id',
        ],
      ],
      free: [
        ...['goal_id', 'status', 'order_value', 'net_commission', 'platform_fee', 'amendments', 'rounds', 'changed_at'],
        ...['listed_at', 'listed_status', 'expired_to'],
      ],
    },
    conversion_aliases: { fixed: ['alias', 'conv_id', 'tenant_id'], free: [] },
    payout_items: {
      fixed: ['led_id', 'tenant_id', 'side', 'event_id', 'payout_id', 'amount', 'returned_at'],
      free: [],
    },
    postbacks: {
      fixed: ['postback_id', 'received_at', 'source', 'raw'],
      free: ['outcome', 'detail', 'conv_id', 'tenant_id', 'processed_at'],
    },
  };
  const ANOTHER: [RegExp, (column: string) => string][] = [
    [/^uuid$/, () => 'gen_random_uuid()'],
    [/^(bigint|integer|numeric)/, (column) => `${column} + 1`],
    [/^timestamp/, (column) => `${column} + interval '1 second'`],
    [/^character\(3\)/, () => "'XXX'"],
    [/^(text|character varying)/, (column) => `${column} || 'x'`],
    [/^jsonb$/, () => `'{"another":"word"}'`],
  ];

  test.each(Object.entries(COLUMNS))('%s: what was first written stays', async (table, { fixed, free }) => {
    const { rows } = await client.query<{ name: string; type: string }>(
      'select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped',
      [table],
    );
    expect(rows.map((row) => row.name).sort()).toEqual([...fixed, ...free].sort());
    // Columns that are null in the seed are filled first: the rule is that a value, once there, stays.
    if (table === 'payouts')
      await client.query('update payouts set gc_id = left(creation_request_id, 20) where gc_id is null');
    if (table === 'payout_items')
      await client.query('update payout_items set returned_at = now() where returned_at is null');
    if (table === 'conversions' || table === 'conversion_identities')
      await client.query(`update ${table} set txn_id = conv_id::text, network_id = conv_id::text`);
    for (const { name, type } of rows.filter((row) => fixed.includes(row.name))) {
      const value = ANOTHER.find(([pattern]) => pattern.test(type))?.[1](name);
      expect(await attempt(() => client.query(`update ${table} set ${name} = ${value}`)), `${table}.${name}`).toBe(
        HISTORY,
      );
    }
  });

  test('a reward, a conversion and a gift card become known once', async () => {
    const user_id = world.shoppers[0];
    const conv_id = newId();
    const identity = { ...seeded('conversion_identities'), conv_id };
    await insert(client, 'conversion_identities', identity);
    await insert(client, 'conversions', { ...seeded('conversions'), conv_id, user_id: null });
    await insert(client, 'ledger', { ...seeded('ledger'), led_id: newId(), conv_id, user_id: null });
    for (const table of ['conversions', 'ledger']) {
      await client.query(`update ${table} set user_id = $2 where conv_id = $1`, [conv_id, user_id]);
      const again = await attempt(() =>
        client.query(`update ${table} set user_id = $2 where conv_id = $1`, [conv_id, world.shoppers[1]]),
      );
      expect(again, table).toBe(HISTORY);
    }
  });
});

describe('constraints of money', () => {
  test('a conversion is credited once: a second reward of it is refused whatever its id, tenant or time', async () => {
    const again = { ...seeded('ledger'), led_id: newId() };
    expect(await attempt(() => insert(client, 'ledger', again))).toBe(DUPLICATE);
    expect(await attempt(() => insert(client, 'ledger', { ...again, tenant_id: world.tenants[1] }))).toBe(NO_SUCH_ROW);
    expect(
      await attempt(() => insert(client, 'ledger', { ...again, created_at: new Date(ID_TIME.getTime() - 1000) })),
    ).toBe(NO_SUCH_ROW);
  });

  test('a reward is not negative, an amendment may be', async () => {
    const row = { ...seeded('ledger'), led_id: newId(), user_amount: '-1.00' };
    expect(await attempt(() => insert(client, 'ledger', row))).toBe(CHECK);
    expect(await attempt(() => insert(client, 'ledger', { ...row, seq: 1 }))).toBe('done');
  });

  test('an alias belongs to one conversion for ever (money rule 1)', async () => {
    expect(await attempt(() => insert(client, 'conversion_aliases', seeded('conversion_aliases')))).toBe(DUPLICATE);
  });

  test('a creationRequestId is used once, and fits 40 letters and digits (money rule 15)', async () => {
    const row = { ...seeded('payouts'), payout_id: crypto.randomUUID() };
    expect(await attempt(() => insert(client, 'payouts', row))).toBe(DUPLICATE);
    expect(await attempt(() => insert(client, 'payouts', { ...row, creation_request_id: 'with-dash' }))).toBe(CHECK);
  });

  test.each(['available', 'reserved', 'receivable'])('an account is never negative: %s', async (column) => {
    expect(await attempt(() => client.query(`update payee_accounts set ${column} = -0.01`))).toBe(CHECK);
  });

  test('a creator’s account is the tenant’s own', async () => {
    const row = { ...seeded('payee_accounts'), side: 'creator', payee: world.shoppers[0] };
    expect(await attempt(() => insert(client, 'payee_accounts', row))).toBe(CHECK);
  });
});

describe('links between tenants (money rule 21)', () => {
  const other = (): string => world.tenants[1];
  test.each([
    ['links', () => ({ ...seeded('links'), link_id: crypto.randomUUID(), slug: 'another', tenant_id: other() })],
    ['widgets', () => ({ ...seeded('widgets'), widget_id: crypto.randomUUID(), tenant_id: other() })],
    ['widget_tokens', () => ({ ...seeded('widget_tokens'), token_id: crypto.randomUUID(), tenant_id: other() })],
    ['daily_rollups', () => ({ ...seeded('daily_rollups'), tenant_id: other() })],
    ['conversion_identities', () => ({ ...seeded('conversion_identities'), conv_id: newId(), tenant_id: other() })],
    ['conversion_aliases', () => ({ ...seeded('conversion_aliases'), alias: 'network:another', tenant_id: other() })],
    ['ledger', () => ({ ...seeded('ledger'), led_id: newId(), seq: 7, tenant_id: other() })],
    ['payout_items', () => ({ ...seeded('payout_items'), event_id: 'another', tenant_id: other() })],
  ] as [string, () => Row][])('%s of B cannot point at a row of A', async (table, row) => {
    expect(await attempt(() => insert(client, table, row()))).toBe(NO_SUCH_ROW);
  });

  test('a conversion belongs to its identity’s tenant, and names a campaign of it', async () => {
    const conv_id = newId();
    await insert(client, 'conversion_identities', { ...seeded('conversion_identities'), conv_id });
    const row = { ...seeded('conversions'), conv_id };
    const { campaign_id } = seeded('campaigns', 1);
    expect(await attempt(() => insert(client, 'conversions', { ...row, tenant_id: other(), campaign_id }))).toBe(
      NO_SUCH_ROW,
    );
    expect(await attempt(() => insert(client, 'conversions', { ...row, campaign_id }))).toBe(NO_SUCH_ROW);
    expect(await attempt(() => insert(client, 'conversions', row))).toBe('done');
  });

  test('a slug is unique for the whole platform, per host', async () => {
    const row = { ...seeded('links', 1), link_id: crypto.randomUUID(), slug: seeded('links', 0).slug };
    expect(await attempt(() => insert(client, 'links', row))).toBe(DUPLICATE);
    expect(await attempt(() => insert(client, 'links', { ...row, host: 'shop.example' }))).toBe('done');
  });
});
