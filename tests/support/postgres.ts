import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../packages/shared/db/migrate.ts';
import { type DatabaseUrls, databaseUrls, setRolePasswords } from '../../scripts/stack/database.ts';
import { REPOSITORY } from '../../scripts/stack/paths.ts';
import { startPostgres } from '../../scripts/stack/postgres.ts';

export const MIGRATIONS = join(REPOSITORY, 'migrations');

/** What a test file needs to make databases of its own; plain data, so that it reaches every worker of the test runner. */
export type TestServer = {
  /** The superuser's connection to the server's maintenance database. */
  adminUrl: string;
  /** What the workers' role passwords derive from. */
  key: string;
  /** The migrated database that every test database is a copy of. */
  template: string;
};

/** A database of one test file, by role; `drop` ends what is still connected to it. */
export type TestDatabase = DatabaseUrls & { name: string; drop(): Promise<void> };

/**
 * A throw-away PostgreSQL, or the one at TEST_DATABASE_URL (a superuser's), with the migrated template. TEST_SERVER, a TestServer in JSON, is one
 * that all the projects of a run share.
 */
export async function startTestServer(): Promise<TestServer & { stop(): Promise<void> }> {
  const shared = process.env.TEST_SERVER;
  if (shared) return { ...(JSON.parse(shared) as TestServer), stop: async () => undefined };
  const given = process.env.TEST_DATABASE_URL;
  const server = given ? { url: given, stop: async () => undefined } : await startThrowAway();
  const template = `hb_template_${randomBytes(6).toString('hex')}`;
  const key = new URL(server.url).password || 'test';
  try {
    await onServer(server.url, (client) => client.query(`create database ${template}`));
    const templateUrl = inDatabase(server.url, template);
    await migrate(templateUrl, MIGRATIONS);
    await setRolePasswords(templateUrl);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    adminUrl: server.url,
    key,
    template,
    stop: async () => {
      if (given) await dropDatabase(server.url, template);
      await server.stop();
    },
  };
}

/** An empty PostgreSQL that no other test uses, with superuser `postgres`; `stop` deletes it. */
export async function startThrowAway(): Promise<{ url: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'hissaback-postgres-'));
  chmodSync(dir, 0o755); // started by root, the server runs as another user
  const data = join(dir, 'data');
  const remove = (): void => {
    rmSync(realpathSync(data), { recursive: true, force: true }); // `data` may be a link to where that user can go
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const server = await startPostgres({
      dir: data,
      port: await freePort(),
      user: 'postgres',
      password: randomBytes(12).toString('hex'),
      database: 'postgres',
      durable: false,
    });
    return {
      url: server.url,
      stop: async () => {
        await server.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A copy of the migrated template under a name of its own. */
export async function createTestDatabase(server: TestServer): Promise<TestDatabase> {
  return createDatabase(server, `template ${server.template}`);
}

/** A database with nothing in it: for tests of the migrations themselves. */
export async function createEmptyDatabase(server: TestServer): Promise<TestDatabase> {
  return createDatabase(server, '');
}

/** Runs `work` with a connection of its own, and closes it. */
export async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The same server and role, another database. */
export function inDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

async function createDatabase(server: TestServer, clause: string): Promise<TestDatabase> {
  const name = `hb_test_${randomBytes(6).toString('hex')}`;
  await onServer(server.adminUrl, (client) => client.query(`create database ${name} ${clause}`));
  return {
    ...databaseUrls(inDatabase(server.adminUrl, name)),
    name,
    drop: () => dropDatabase(server.adminUrl, name),
  };
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await onServer(adminUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
