import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type Postgres, startPostgres } from './postgres.ts';

const folder = mkdtempSync(join(tmpdir(), 'hissaback-postgres-'));
const dir = join(folder, 'data');
const running: Postgres[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function start(durable = false): Promise<Postgres> {
  const port = await freePort();
  const server = await startPostgres({ dir, port, user: 'hissaback', password: "it's $ecret", durable });
  running.push(server);
  return server;
}

async function query(server: Postgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('data survives a stop, a server left running by a killed stack, and a killed server', {
  timeout: 60_000,
}, async () => {
  const first = await start(true);
  await query(first, 'create table kept as select 1 as run');
  await first.stop();

  const second = await start(true);
  await query(second, 'insert into kept values (2)');
  const leftRunning = await start(true); // as the next start finds it after a SIGKILL
  expect(await second.ended).toMatch(/code 0/);

  await query(leftRunning, 'insert into kept values (3)');
  process.kill(leftRunning.pid, 'SIGKILL');
  await leftRunning.ended;

  const recovered = await start(true);
  expect(await query(recovered, 'select run from kept order by run')).toEqual([{ run: 1 }, { run: 2 }, { run: 3 }]);
});

test('the server is PostgreSQL 15, in UTC, UTF-8 and the C locale, and asks for a password', {
  timeout: 60_000,
}, async () => {
  const server = await start();
  const [row] = await query(
    server,
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('timezone') as timezone,
            current_setting('server_encoding') as encoding, datcollate as locale, current_setting('max_connections') as connections
       from pg_database where datname = current_database()`,
  );
  expect(row).toEqual({ major: 15, timezone: 'UTC', encoding: 'UTF8', locale: 'C', connections: '200' });
  const stranger = new pg.Client({ connectionString: server.url.replace(/:[^:@]*@/, ':wrong@') });
  await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
});

test('the log of a failed query holds no values', { timeout: 60_000 }, async () => {
  const server = await start();
  await query(server, 'create table people (phone text primary key)');
  await query(server, "insert into people values ('+919810000001')");
  await expect(query(server, "insert into people values ('+919810000001')")).rejects.toThrow(/duplicate key/);
  await server.stop();
  const log = readFileSync(server.logFile, 'utf8');
  expect(log).toContain('duplicate key');
  expect(log).not.toContain('9810000001');
});
