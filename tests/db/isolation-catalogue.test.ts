import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';

const WORKERS = ['hissaback_api', 'hissaback_ingest', 'hissaback_payout'];

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

async function names(query: string, params: unknown[] = []): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(query, params);
  return rows.map((row) => row.name);
}

describe('row-level security', () => {
  // Partitions are left out: policies of the parent hold when the parent is asked, and nobody has a grant on a partition (below).
  const WITHOUT = new Map([['schema_migrations', 'names of migrations only, and no worker may read it']]);

  test('is enabled and forced on every table', async () => {
    const open = await names(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
         and not (relrowsecurity and relforcerowsecurity)`,
    );
    expect(open).toEqual([...WITHOUT.keys()]);
  });

  test('every table that a worker may use has a policy for it', async () => {
    const unserved = await names(
      `select c.relname || ' for ' || w as name from pg_class c, unnest($1::text[]) w
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and has_any_column_privilege(w, c.oid, 'select, insert, update')
         and not exists (select 1 from pg_policy p where p.polrelid = c.oid and w::regrole = any (p.polroles))`,
      [WORKERS],
    );
    expect(unserved).toEqual([]);
  });

  test('no policy is for PUBLIC', async () => {
    expect(await names('select polname as name from pg_policy where 0 = any (polroles)')).toEqual([]);
  });
});

describe('roles', () => {
  test('no role of ours is a superuser, passes row-level security or makes roles; only the workers can log in', async () => {
    const { rows } = await client.query(
      `select rolname, rolcanlogin from pg_roles where rolname like 'hissaback\\_%'
         and not rolsuper and not rolbypassrls and not rolcreaterole and not rolcreatedb and not rolreplication order by 1`,
    );
    expect(rows).toEqual([
      { rolname: 'hissaback_api', rolcanlogin: true },
      { rolname: 'hissaback_ingest', rolcanlogin: true },
      { rolname: 'hissaback_lookup', rolcanlogin: false },
      { rolname: 'hissaback_owner', rolcanlogin: false },
      { rolname: 'hissaback_payout', rolcanlogin: true },
    ]);
  });

  test('no worker is a member of any role', async () => {
    expect(
      await names(
        'select roleid::regrole::text as name from pg_auth_members where member = any ($1::text[]::regrole[])',
        [WORKERS],
      ),
    ).toEqual([]);
  });

  test('no worker owns anything (money rule 22)', async () => {
    const owned = await names(
      `select classid::regclass::text || ' ' || objid as name from pg_shdepend
       where deptype = 'o' and refclassid = 'pg_authid'::regclass and refobjid = any ($1::text[]::regrole[])
         and dbid = (select oid from pg_database where datname = current_database())`,
      [WORKERS],
    );
    expect(owned).toEqual([]);
  });

  test('hissaback_lookup owns functions and no table', async () => {
    expect(await names("select relname as name from pg_class where relowner = 'hissaback_lookup'::regrole")).toEqual(
      [],
    );
  });

  test('no worker may create anything in the schema, and PUBLIC has nothing in it', async () => {
    expect(
      await names("select w as name from unnest($1::text[]) w where has_schema_privilege(w, 'public', 'create')", [
        WORKERS,
      ]),
    ).toEqual([]);
    const open = await names(
      `select relname as name from pg_class, aclexplode(relacl) a where relnamespace = 'public'::regnamespace and a.grantee = 0
       union all select nspname from pg_namespace, aclexplode(nspacl) a where nspname = 'public' and a.grantee = 0`,
    );
    expect(open).toEqual([]);
  });

  test('every SECURITY DEFINER function pins its search_path, with pg_temp last, and is closed to PUBLIC', async () => {
    const loose = await names(
      `select proname as name from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
         and (coalesce(array_to_string(proconfig, ','), '') !~ 'search_path=pg_catalog, public, pg_temp'
           or proacl is null or exists (select 1 from aclexplode(proacl) a where a.grantee = 0))`,
    );
    expect(loose).toEqual([]);
  });

  test('a search_path that any function sets names pg_temp last: unnamed it would come first', async () => {
    const loose = await names(
      `select p.oid::regprocedure::text as name from pg_proc p, unnest(proconfig) as setting
       where pronamespace = 'public'::regnamespace and setting ~ '^search_path=' and setting !~ ', pg_temp$'`,
    );
    expect(loose).toEqual([]);
  });

  test('a temporary table of a worker’s stands in for none of ours', async () => {
    const me = '00000000-0000-4000-8000-000000000001';
    // A copy of a database forgets who may make temporary tables: here the api may.
    await onServer(database.owner, (client) =>
      client.query(`grant temporary on database ${database.name} to hissaback_api`),
    );
    await onServer(database.api, async (client) => {
      await client.query('create temporary table operators (user_id uuid)');
      await client.query('insert into operators values ($1)', [me]);
      await client.query('grant select on operators to public');
      await client.query("select set_config('app.operator', $1, false)", [me]);
      expect((await client.query('select is_operator() as yes')).rows).toEqual([{ yes: false }]);
    });
  });

  test('the record of migrations is closed to every worker', async () => {
    const open = await names(
      "select w as name from unnest($1::text[]) w where has_any_column_privilege(w, 'schema_migrations', 'select, insert, update, references')",
      [WORKERS],
    );
    expect(open).toEqual([]);
  });
});

describe('what a worker has no business with', () => {
  const PEOPLE = ['sessions', 'invitations', 'api_keys', 'widget_tokens', 'idempotency_keys', 'tenant_domains'];
  const CLOSED = {
    hissaback_api: ['conversion_identities', 'conversion_aliases', 'order_keys', 'intake_locks', 'idempotency_keys'],
    hissaback_ingest: [...PEOPLE, 'operators'],
    hissaback_payout: [...PEOPLE, 'webhook_endpoints', 'webhook_deliveries', 'visitors'],
  };
  test.each(Object.entries(CLOSED))('%s can neither read nor write it (money rule 20)', async (role, tables) => {
    const open = await names(
      `select t as name from unnest($2::text[]) t
       where has_any_column_privilege($1, t, 'select, insert, update, references') or has_table_privilege($1, t, 'delete, truncate, trigger')`,
      [role, tables],
    );
    expect(open).toEqual([]);
  });

  test('a secret, a hash and a voucher’s code are read by the one worker that needs them', async () => {
    const columns = [
      ['payouts', 'voucher_code'],
      ['webhook_endpoints', 'secret'],
      ['webhook_endpoints', 'previous_secret'],
      ['api_keys', 'key_hash'],
      ['users', 'kyc_hash'],
    ];
    const readers = await names(
      `select table_name || '.' || column_name || ': ' || string_agg(w, ' ' order by w) filter (where has_column_privilege(w, table_name, column_name, 'select'))
         as name
       from unnest($1::text[], $2::text[]) as c(table_name, column_name), unnest($3::text[]) as w group by table_name, column_name order by 1`,
      [columns.map(([table]) => table), columns.map(([, column]) => column), WORKERS],
    );
    expect(readers.filter((name) => name !== null)).toEqual([
      'payouts.voucher_code: hissaback_payout',
      'users.kyc_hash: hissaback_api hissaback_payout',
      'webhook_endpoints.previous_secret: hissaback_ingest',
      'webhook_endpoints.secret: hissaback_ingest',
    ]);
  });
});

describe('partitions', () => {
  test('nobody but the owner has a privilege on a partition', async () => {
    const open = await names(
      `select relname as name from pg_class, aclexplode(relacl) a where relispartition and relkind in ('r', 'p') and a.grantee <> relowner`,
    );
    expect(open).toEqual([]);
  });

  test.each(['api', 'webhook', 'payout'] as const)(
    'the role of %s is refused every partition when it asks for it directly',
    async (role) => {
      const partitions = await names(
        "select relname as name from pg_class where relispartition and relkind in ('r', 'p')",
      );
      expect(partitions.length).toBeGreaterThan(30);
      const worker = new pg.Client({ connectionString: database[role] });
      await worker.connect();
      try {
        for (const partition of partitions) {
          await expect(worker.query(`select from ${partition}`), partition).rejects.toMatchObject({ code: '42501' });
        }
      } finally {
        await worker.end();
      }
    },
  );
});

describe('foreign keys', () => {
  // Both tables have a tenant_id, and yet the key may leave it out.
  const WITHOUT = new Map<string, string>([]);

  test('between two tables with tenant_id, every foreign key includes it (money rule 21)', async () => {
    const loose = await names(
      `select k.conrelid::regclass || ' -> ' || k.confrelid::regclass || ' (' || k.conname || ')' as name
       from pg_constraint k
       join pg_attribute here on here.attrelid = k.conrelid and here.attname = 'tenant_id'
       join pg_attribute there on there.attrelid = k.confrelid and there.attname = 'tenant_id'
       where k.contype = 'f' and k.conparentid = 0
         and not exists (
           select 1 from unnest(k.conkey, k.confkey) as pair (source, target) where pair.source = here.attnum and pair.target = there.attnum)
       order by 1`,
    );
    expect(loose.filter((name) => !WITHOUT.has(name))).toEqual([]);
  });
});
