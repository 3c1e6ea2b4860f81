import {
  AmbiguousCommitError,
  openDatabase,
  sqlState,
  TransactionAbortedError,
  TransactionInProgressError,
} from '@hissaback/shared/db/client';
import { offers, tenants } from '@hissaback/shared/db/schema';
import { withOperator, withTenant, withUser } from '@hissaback/shared/db/tenancy';
import type { Database, Tx } from '@hissaback/shared/db/types';
import { seededRandom } from '@hissaback/shared/domain/chance.fake';
import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';
import { seed, type TwoTenants, twoTenants } from '../support/two-tenants.ts';

let database: TestDatabase;
let world: TwoTenants;
let db: Database;
let slept: number[];

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  world = twoTenants();
  await onServer(database.owner, async (client) => {
    await seed(client, world);
    await client.query('create table counters (id int primary key, n int not null)');
    await client.query('insert into counters values (1, 0), (2, 0)');
    await client.query('create table late (id int unique deferrable initially deferred)');
    await client.query(`create function end_backend() returns trigger language plpgsql as $$
      begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`);
    await client.query('create table fatal (id int)');
    await client.query(
      'create constraint trigger fatal after insert on fatal deferrable initially deferred for each row execute function end_backend()',
    );
  });
});
afterAll(async () => {
  await database.drop();
});
beforeEach(() => {
  slept = [];
  db = open();
});
afterEach(async () => {
  await db.end();
});

function open(url = database.owner): Database {
  return openDatabase(
    { connectionString: url },
    {
      random: seededRandom(1),
      sleep: async (milliseconds) => {
        slept.push(milliseconds);
      },
    },
  );
}

async function one<T>(tx: Tx, text: string, params?: unknown[]): Promise<T> {
  const { rows } = await tx.query<T>(text, params);
  if (rows[0] === undefined) throw new Error('no row');
  return rows[0];
}
const counter = (id: number): Promise<number> =>
  db.transaction(async (tx) => (await one<{ n: number }>(tx, 'select n from counters where id = $1', [id])).n);
const backend = (tx: Tx): Promise<{ pid: number }> => one(tx, 'select pg_backend_pid() as pid');
const kill = (pid: number): Promise<unknown> =>
  onServer(database.owner, (admin) => admin.query('select pg_terminate_backend($1, 5000)', [pid]));
const fail = (tx: Tx, code: string): Promise<unknown> =>
  tx.query(`do $$ begin raise exception 'test' using errcode = '${code}'; end $$`);

describe('values', () => {
  test('come back exact: int8 as bigint, numeric and date as text, timestamptz as Date, arrays alike', async () => {
    const row = await db.transaction((tx) =>
      one(
        tx,
        `select 9007199254740993::int8 as id, 12345678901.10::numeric(14,2) as money, date '2026-01-31' as day, timestamptz '2026-01-31T00:00:00Z' as at,
                array[1, null, 9007199254740993]::int8[] as ids, array[0.10, null]::numeric[] as amounts, array[date '2026-01-31'] as days,
                array['a', null] as words, '{"a": 1}'::jsonb as json, 7::int4 as small, null::int8 as nothing`,
      ),
    );
    expect(row).toEqual({
      id: 9007199254740993n,
      money: '12345678901.10',
      day: '2026-01-31',
      at: new Date('2026-01-31T00:00:00Z'),
      ids: [1n, null, 9007199254740993n],
      amounts: ['0.10', null],
      days: ['2026-01-31'],
      words: ['a', null],
      json: { a: 1 },
      small: 7,
      nothing: null,
    });
  });

  test('go in exact: bigint, Date, and arrays of text, bigint and Date', async () => {
    const at = new Date('2026-03-29T01:30:00.123Z');
    const row = await db.transaction((tx) =>
      one(
        tx,
        'select $1::int8 as id, $2::timestamptz as at, $3::text[] as words, $4::int8[] as ids, $5::timestamptz[] as times, $6::numeric as money',
        [2n ** 62n, at, ['a"b', 'c,d', null], [1n, 2n ** 62n], [at], '0.10'],
      ),
    );
    expect(row).toEqual({
      id: 2n ** 62n,
      at,
      words: ['a"b', 'c,d', null],
      ids: [1n, 2n ** 62n],
      times: [at],
      money: '0.10',
    });
  });

  test('rowCount counts, and days are days in UTC', async () => {
    await db.transaction(async (tx) => {
      expect((await tx.query('update counters set n = n')).rowCount).toBe(2);
      expect(await one(tx, "select timestamptz '2026-01-31T23:59:59Z'::date as day")).toEqual({ day: '2026-01-31' });
    });
  });
});

describe('a transaction', () => {
  test('stands when its work returns, and is undone when it throws; the connection goes on', async () => {
    const before = await counter(1);
    await db.transaction((tx) => tx.query('update counters set n = n + 1 where id = 1'));
    await expect(
      db.transaction(async (tx) => {
        await tx.query('update counters set n = n + 1 where id = 1');
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await counter(1)).toBe(before + 1);
  });

  test('shares one connection with the others of its Database', async () => {
    const pids = new Set<number>();
    for (let n = 0; n < 3; n++) pids.add((await db.transaction(backend)).pid);
    expect(pids.size).toBe(1);
  });

  test('is refused while another is open, nested or at the same time, and allowed afterwards', async () => {
    await db.transaction(async () => {
      await expect(db.transaction(async () => 1)).rejects.toBeInstanceOf(TransactionInProgressError);
      await expect(withTenant(db, world.tenants[0], async () => 1)).rejects.toBeInstanceOf(TransactionInProgressError);
    });
    const both = await Promise.allSettled([db.transaction(async () => 1), db.transaction(async () => 2)]);
    expect(both.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
    expect(await db.transaction(async () => 3)).toBe(3);
  });

  test('refuses queries once it has ended, in SQL and in Drizzle', async () => {
    let escaped: Tx | undefined;
    await db.transaction(async (tx) => {
      escaped = tx;
    });
    await expect(escaped?.query('select 1')).rejects.toThrow('the transaction has ended');
    await expect(escaped?.orm.select().from(tenants)).rejects.toMatchObject({
      cause: { message: 'the transaction has ended' },
    });
  });

  test('runs statements one after another although they were started together', async () => {
    await db.transaction(async (tx) => {
      const results = await Promise.all([1, 2, 3, 4].map((n) => one<{ n: number }>(tx, 'select $1::int as n', [n])));
      expect(results.map((row) => row.n)).toEqual([1, 2, 3, 4]);
    });
  });

  test('takes one statement a query', async () => {
    await expect(db.transaction((tx) => tx.query('select 1; drop table counters'))).rejects.toMatchObject({
      code: '42601',
    });
  });

  test('whose work hid a failed statement is an error, not a silent rollback', async () => {
    await expect(
      db.transaction(async (tx) => {
        await tx.query('update counters set n = n + 1 where id = 1');
        await tx.query('select 1 / 0').catch(() => undefined);
      }),
    ).rejects.toBeInstanceOf(TransactionAbortedError);
    expect(await db.transaction(async () => 'usable')).toBe('usable');
  });

  test('gives up a statement that takes too long, and a lock that does not come; the connection goes on', async () => {
    const slow = db.transaction((tx) => tx.query('select pg_sleep(30)'), { statementTimeoutMs: 50 });
    await expect(slow).rejects.toMatchObject({ code: '57014' });
    await db.transaction(async (tx) => {
      expect(
        await one(
          tx,
          `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('idle_in_transaction_session_timeout') as idle`,
        ),
      ).toEqual({ statement: '10s', lock: '5s', idle: '15s' });
    });
  });

  test('may choose its isolation level', async () => {
    await db.transaction(async (tx) => {
      await tx.query('set transaction isolation level repeatable read, read only');
      expect(await one(tx, 'show transaction_isolation')).toEqual({ transaction_isolation: 'repeatable read' });
    });
  });
});

describe('a serialisation failure or a deadlock (fault 32)', () => {
  test.each(['40001', '40P01'])('%s runs the whole work again', async (code) => {
    let runs = 0;
    const before = await counter(1);
    await db.transaction(async (tx) => {
      runs += 1;
      await tx.query('update counters set n = n + 1 where id = 1');
      if (runs < 3) await fail(tx, code);
    });
    expect(runs).toBe(3);
    expect(await counter(1)).toBe(before + 1);
  });

  test('stops after five retries by default, with delays below a doubling bound', async () => {
    let runs = 0;
    const work = db.transaction((tx) => {
      runs += 1;
      return fail(tx, '40001');
    });
    await expect(work).rejects.toMatchObject({ code: '40001' });
    expect(runs).toBe(6);
    expect(slept).toHaveLength(5);
    for (const [attempt, milliseconds] of slept.entries()) {
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      expect(milliseconds).toBeLessThanOrEqual(20 * 2 ** attempt);
    }
  });

  test('is not retried where no retry was allowed, and no other error ever is', async () => {
    for (const [code, retries] of [
      ['40001', 0],
      ['23505', 5],
    ] as const) {
      let runs = 0;
      const work = db.transaction(
        (tx) => {
          runs += 1;
          return fail(tx, code);
        },
        { retries },
      );
      await expect(work).rejects.toMatchObject({ code });
      expect(runs).toBe(1);
    }
  });

  test('a real conflict of two transactions ends with both increments', async () => {
    const other = open();
    const before = await counter(2);
    let runs = 0;
    await db.transaction(async (tx) => {
      runs += 1;
      await tx.query('set transaction isolation level repeatable read');
      await tx.query('select n from counters where id = 2');
      if (runs === 1) await other.transaction((rival) => rival.query('update counters set n = n + 1 where id = 2'));
      await tx.query('update counters set n = n + 1 where id = 2');
    });
    await other.end();
    expect(runs).toBe(2);
    expect(await counter(2)).toBe(before + 2);
  });

  test('is recognised through what Drizzle wraps around it', async () => {
    let runs = 0;
    await db.transaction(async (tx) => {
      runs += 1;
      if (runs === 1) await tx.orm.execute("do $$ begin raise exception 'test' using errcode = '40001'; end $$");
    });
    expect(runs).toBe(2);
  });
});

describe('a lost connection', () => {
  test('at COMMIT is an AmbiguousCommitError, the work is not run again, and the next transaction connects anew (fault 7)', async () => {
    let runs = 0;
    const work = db.transaction(async (tx) => {
      runs += 1;
      await tx.query('insert into fatal values (1)');
    });
    await expect(work).rejects.toBeInstanceOf(AmbiguousCommitError);
    expect(runs).toBe(1);
    expect(await db.transaction(async () => 'usable')).toBe('usable');
  });

  test('is told from a refusal at COMMIT, which is certain', async () => {
    const work = db.transaction(async (tx) => {
      await tx.query('insert into late values (1), (1)');
    });
    await expect(work).rejects.toMatchObject({ code: '23505' });
  });

  test('between transactions is not noticed', async () => {
    const { pid } = await db.transaction(backend);
    await kill(pid);
    expect((await db.transaction(backend)).pid).not.toBe(pid);
  });

  test('in the middle of the work is that query’s error; the next transaction connects anew', async () => {
    let runs = 0;
    const work = db.transaction(async (tx) => {
      runs += 1;
      await kill((await backend(tx)).pid);
      await tx.query('select 1');
    });
    const error = await work.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(AmbiguousCommitError);
    expect(runs).toBe(1);
    expect(await db.transaction(async () => 'usable')).toBe('usable');
  });

  test('a server that refuses is an error of the first transaction, not of openDatabase', async () => {
    const nowhere = open('postgres://nobody:wrong@127.0.0.1:1/none');
    await expect(nowhere.transaction(async () => 1)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await nowhere.end();
  });
});

describe('end', () => {
  test('never throws: before any transaction, twice, after the server closed the socket', async () => {
    const unused = open();
    await unused.end();
    await unused.end();
    const killed = open();
    await kill((await killed.transaction(backend)).pid);
    await killed.end();
  });

  test('closes the connection for good', async () => {
    const { pid } = await db.transaction(backend);
    await db.end();
    const gone = await onServer(database.owner, async (admin) => {
      for (const deadline = Date.now() + 5000; Date.now() < deadline; ) {
        if ((await admin.query('select from pg_stat_activity where pid = $1', [pid])).rowCount === 0) return true;
      }
      return false;
    });
    expect(gone).toBe(true);
    await expect(db.transaction(async () => 1)).rejects.toThrow('the database was closed');
  });
});

describe('the doors of tenancy', () => {
  const settings = (tx: Tx): Promise<unknown> =>
    one(
      tx,
      `select current_setting('app.tenant', true) as tenant, current_setting('app.user', true) as "user", current_setting('app.operator', true) as operator`,
    );

  test('each sets its own key for its transaction and no other', async () => {
    const [id] = world.tenants;
    const empty = { tenant: '', user: '', operator: '' };
    expect(await withTenant(db, id, settings)).toEqual({ ...empty, tenant: id });
    expect(await withUser(db, id, settings)).toEqual({ ...empty, user: id });
    expect(await withOperator(db, id, settings)).toEqual({ ...empty, operator: id });
    expect(await db.transaction(settings)).toEqual(empty);
  });

  test.each([
    '',
    "'; drop table users; --",
    'ABCDEF00-0000-4000-8000-000000000000',
    '00000000-0000-4000-8000-000000000000\n',
  ])('an id that is no UUID in canonical form never reaches the database: %j', async (id) => {
    let runs = 0;
    const work = async (): Promise<void> => {
      runs += 1;
    };
    for (const door of [withTenant, withUser, withOperator])
      await expect(door(db, id, work)).rejects.toBeInstanceOf(RangeError);
    await expect(db.transaction(work, { identity: { tenant: id } })).rejects.toBeInstanceOf(RangeError);
    expect(runs).toBe(0);
  });

  test('the key is set again when the work is run again', async () => {
    let runs = 0;
    const seen = await withTenant(db, world.tenants[0], async (tx) => {
      runs += 1;
      if (runs === 1) await fail(tx, '40001');
      return settings(tx);
    });
    expect(seen).toEqual({ tenant: world.tenants[0], user: '', operator: '' });
  });
});

describe('Drizzle', () => {
  test('runs in the transaction, sees what row-level security shows, with exact values', async () => {
    const api = open(database.api);
    await withTenant(api, world.tenants[0], async (tx) => {
      const rows = await tx.orm.select({ id: tenants.tenantId, share: tenants.defaultSharePct }).from(tenants);
      expect(rows).toEqual([{ id: world.tenants[0], share: '50.00' }]);
      const [offer] = await tx.orm.select().from(offers);
      expect(offer?.syncedAt).toBeInstanceOf(Date);
    });
    await api.end();
  });

  test('its transaction is a savepoint: an error inside undoes the inside only, and ours goes on', async () => {
    const [id] = world.tenants;
    await expect(
      db.transaction(async (tx) => {
        await tx.orm.update(tenants).set({ name: 'Outside' }).where(eq(tenants.tenantId, id));
        await tx.orm
          .transaction(async (inner) => {
            await inner.update(tenants).set({ name: 'Inside' }).where(eq(tenants.tenantId, id));
            throw new Error('inside');
          })
          .catch(() => undefined);
        expect(await tx.orm.select({ name: tenants.name }).from(tenants).where(eq(tenants.tenantId, id))).toEqual([
          { name: 'Outside' },
        ]);
        throw new Error('undone');
      }),
    ).rejects.toThrow('undone');
    const [row] = await db.transaction((tx) =>
      tx.orm.select({ name: tenants.name }).from(tenants).where(eq(tenants.tenantId, id)),
    );
    expect(row?.name).toBe('Tenant 0');
  });

  test('its errors show their SQLSTATE', async () => {
    const error = await db.transaction((tx) => tx.orm.execute('select 1 / 0')).catch((reason: unknown) => reason);
    expect(sqlState(error)).toBe('22012');
  });
});
