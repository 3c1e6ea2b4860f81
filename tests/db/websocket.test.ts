import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { tenants } from '@hissaback/shared/db/schema';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';
import { seed, twoTenants } from '../support/two-tenants.ts';
import { startWebSocketProxy, type WebSocketProxy } from '../support/websocket-proxy.ts';

const world = twoTenants();
let database: TestDatabase;
let proxy: WebSocketProxy;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  await onServer(database.owner, (client) => seed(client, world));
  proxy = await startWebSocketProxy();
});
afterAll(async () => {
  await proxy.stop();
  await database.drop();
});

describe('where no Hyperdrive is bound', () => {
  test('the same doors, values and retries work over a WebSocket', async () => {
    const db = openDatabase(databaseBinding({ DATABASE_URL: database.api, DATABASE_PROXY: proxy.address }), {
      sleep: async () => undefined,
    });
    const [a] = world.tenants;
    let runs = 0;
    const seen = await withTenant(db, a, async (tx) => {
      runs += 1;
      const { rows } = await tx.query(
        'select tenant_id, default_share_pct, 9007199254740993::int8 as id, $1::int8[] as ids from tenants',
        [[1n, 2n]],
      );
      if (runs === 1) await tx.query("do $$ begin raise exception 'test' using errcode = '40001'; end $$");
      const [tenant] = await tx.orm.select().from(tenants);
      return { rows, name: tenant?.name, at: tenant?.createdAt };
    });
    await db.end();
    expect(seen).toEqual({
      rows: [{ tenant_id: a, default_share_pct: '50.00', id: 9007199254740993n, ids: [1n, 2n] }],
      name: 'Tenant 0',
      at: expect.any(Date),
    });
    expect(runs).toBe(2);
    expect(proxy.opened()).toBe(1);
  });

  test('a proxy that is gone is an error of the transaction, and end does not throw', async () => {
    const db = openDatabase(databaseBinding({ DATABASE_URL: database.api, DATABASE_PROXY: '127.0.0.1:1/' }));
    await expect(db.transaction(async () => 1)).rejects.toThrow();
    await db.end();
  });
});

test('Hyperdrive is taken where it is bound, and nothing at all is an error', () => {
  const DB = { connectionString: 'postgres://hyperdrive' };
  expect(databaseBinding({ DB, DATABASE_URL: 'postgres://elsewhere' })).toEqual(DB);
  expect(databaseBinding({ DATABASE_URL: 'postgres://neon' })).toEqual({
    connectionString: 'postgres://neon',
    webSocket: { secure: true },
  });
  expect(() => databaseBinding({})).toThrow('no database');
});
