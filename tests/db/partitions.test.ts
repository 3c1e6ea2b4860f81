import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';
import { ID_TIME, insert, newId, seed, type TwoTenants, twoTenants } from '../support/two-tenants.ts';

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

async function ensure(url: string, at: string, back: number, ahead: number): Promise<number> {
  return onServer(url, async (worker) => {
    const { rows } = await worker.query<{ made: number }>('select ensure_partitions($1, $2, $3) as made', [
      at,
      back,
      ahead,
    ]);
    return rows[0]?.made ?? -1;
  });
}

/** Name -> bounds of the partitions with this name's beginning. */
async function bounds(prefix: string): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; bound: string }>(
    "select relname as name, pg_get_expr(relpartbound, oid) as bound from pg_class where relispartition and relkind in ('r', 'p') and starts_with(relname, $1)",
    [prefix],
  );
  return Object.fromEntries(rows.map(({ name, bound }) => [name, bound]));
}

const idAt = (time: string): bigint => BigInt(Date.parse(time) - Date.UTC(2024, 0, 1)) << 22n;

describe('ensure_partitions', () => {
  test('makes what is missing, and nothing the second time', async () => {
    // Three tables by month; eight branches of the ledger by quarter.
    expect(await ensure(database.payout, '2041-02-10T00:00:00Z', 0, 1)).toBe(3 * 2 + 8);
    expect(await ensure(database.payout, '2041-02-10T00:00:00Z', 0, 1)).toBe(0);
    expect(await ensure(database.payout, '2041-02-10T00:00:00Z', 1, 1)).toBe(3);
  });

  test('two runs at once make each partition once', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => ensure(database.payout, '2042-05-01T00:00:00Z', 0, 2)));
    expect(made.sort()).toEqual([0, 0, 0, 3 * 3 + 16]);
  });

  test('goes over a year’s end, by month and by quarter, in UTC wherever the session is', async () => {
    await onServer(database.payout, async (worker) => {
      await worker.query("set timezone = 'Pacific/Auckland'");
      await worker.query("select ensure_partitions('2043-12-31T23:59:59Z', 1, 1)");
    });
    await client.query("set timezone = 'UTC'");
    const months = await bounds('clicks_2043');
    expect(months).toEqual({
      clicks_204311: "FOR VALUES FROM ('2043-11-01 00:00:00+00') TO ('2043-12-01 00:00:00+00')",
      clicks_204312: "FOR VALUES FROM ('2043-12-01 00:00:00+00') TO ('2044-01-01 00:00:00+00')",
    });
    expect(Object.keys(await bounds('clicks_2044'))).toEqual(['clicks_204401']);
    expect({ ...(await bounds('ledger_h3_2043')), ...(await bounds('ledger_h3_2044')) }).toEqual({
      ledger_h3_2043q4: "FOR VALUES FROM ('2043-10-01 00:00:00+00') TO ('2044-01-01 00:00:00+00')",
      ledger_h3_2044q1: "FOR VALUES FROM ('2044-01-01 00:00:00+00') TO ('2044-04-01 00:00:00+00')",
    });
  });

  test('gives its partitions to the owner and nobody a grant on them (money rule 22)', async () => {
    await ensure(database.payout, '2045-01-15T00:00:00Z', 0, 0);
    const { rows } = await client.query(
      "select distinct relowner::regrole::text as owner, relacl from pg_class where relispartition and relname like '%2045%' and relkind = 'r'",
    );
    expect(rows).toEqual([{ owner: 'hissaback_owner', relacl: null }]);
  });

  test('keeps the triggers of money on new partitions', async () => {
    const { rows } = await client.query(
      `select p.relname, count(t.oid)::int as triggers from pg_class p left join pg_trigger t on t.tgrelid = p.oid and t.tgname like 'ledger\\_%'
       where p.relispartition and p.relkind = 'r' and p.relname like 'ledger\\_h%' group by 1 having count(t.oid) <> 3`,
    );
    expect(rows).toEqual([]);
  });

  test('is for the payout role alone, and reaches at most 24 months', async () => {
    await expect(ensure(database.api, '2041-01-01T00:00:00Z', 0, 0)).rejects.toMatchObject({ code: '42501' });
    await expect(ensure(database.webhook, '2041-01-01T00:00:00Z', 0, 0)).rejects.toMatchObject({ code: '42501' });
    await expect(ensure(database.payout, '2041-01-01T00:00:00Z', 0, 25)).rejects.toMatchObject({ code: '22023' });
    await expect(ensure(database.payout, '2041-01-01T00:00:00Z', -1, 0)).rejects.toMatchObject({ code: '22023' });
  });

  test('has been called by the migrations for the months around now', async () => {
    const { rows } = await client.query<{ made: number }>('select ensure_partitions(now(), 6, 3) as made');
    expect(rows[0]?.made).toBe(0);
  });
});

describe('a month without a partition (fault 15)', () => {
  const click = (time: string) => ({
    click_id: idAt(time),
    created_at: time,
    tenant_id: world.tenants[0],
    link_id: world.tenants[0],
    source: 'edge',
  });

  test('is an error to the writer, and the same row goes in once the partition is there', async () => {
    const row = click('2046-03-31T23:59:59.999Z');
    await expect(insert(client, 'clicks', row)).rejects.toMatchObject({
      code: '23514',
      message: expect.stringContaining('no partition'),
    });
    await ensure(database.payout, '2046-03-01T00:00:00Z', 0, 0);
    await insert(client, 'clicks', row);
    await expect(insert(client, 'clicks', click('2046-04-01T00:00:00Z'))).rejects.toMatchObject({ code: '23514' });
  });
});

describe('time in ids (money rule 3)', () => {
  test('a click’s created_at is the time in its id, to the millisecond', async () => {
    const seeded = world.rows.find((row) => row.table === 'clicks')?.row;
    const click_id = newId();
    await insert(client, 'clicks', { ...seeded, click_id });
    for (const shift of [-1, 1, 86_400_000]) {
      const created_at = new Date(ID_TIME.getTime() + shift);
      await expect(insert(client, 'clicks', { ...seeded, click_id: newId(), created_at })).rejects.toMatchObject({
        code: '23514',
      });
    }
  });

  test('a replayed click meets its own key', async () => {
    const seeded = world.rows.find((row) => row.table === 'clicks')?.row;
    await expect(insert(client, 'clicks', { ...seeded })).rejects.toMatchObject({ code: '23505' });
  });

  test('id_time in SQL and clickIdTime in code agree', async () => {
    const { clickIdTime } = await import('@hissaback/shared/domain/click-id');
    for (const id of [1n << 22n, newId(), 2n ** 62n]) {
      const { rows } = await client.query<{ time: Date }>('select id_time($1) as time', [id]);
      expect(rows[0]?.time.getTime()).toBe(clickIdTime(id));
    }
  });
});
