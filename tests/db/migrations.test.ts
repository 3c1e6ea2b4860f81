import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@hissaback/shared/db/migrate';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  createEmptyDatabase,
  createTestDatabase,
  inDatabase,
  MIGRATIONS,
  onServer,
  startThrowAway,
  type TestDatabase,
} from '../support/postgres.ts';

const FILES = readdirSync(MIGRATIONS)
  .filter((name) => name.endsWith('.sql'))
  .sort();

const open: TestDatabase[] = [];
async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createEmptyDatabase(inject('postgres'));
  open.push(database);
  return database;
}
async function migratedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase(inject('postgres'));
  open.push(database);
  return database;
}
const folders: string[] = [];
function copyOfMigrations(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hissaback-migrations-'));
  folders.push(folder);
  cpSync(MIGRATIONS, folder, { recursive: true });
  return folder;
}
afterEach(async () => {
  for (const database of open.splice(0)) await database.drop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function recorded(url: string): Promise<string[]> {
  const { rows } = await onServer(url, (client) =>
    client.query<{ name: string }>('select name from schema_migrations order by version'),
  );
  return rows.map((row) => row.name);
}

describe('migrations', () => {
  test('an empty database gets every migration, in order, and each is recorded and told', async () => {
    const { owner } = await emptyDatabase();
    const told: string[] = [];
    expect(await migrate(owner, MIGRATIONS, (line) => told.push(line))).toEqual({ applied: FILES });
    expect(await recorded(owner)).toEqual(FILES);
    expect(told).toHaveLength(FILES.length);
    for (const [index, file] of FILES.entries())
      expect(told[index]).toMatch(new RegExp(`^${file} applied in \\d+ ms$`));
  });

  test('a second run changes nothing', async () => {
    const { owner } = await migratedDatabase();
    expect(await migrate(owner, MIGRATIONS)).toEqual({ applied: [] });
    expect(await recorded(owner)).toEqual(FILES);
  });

  test('two runners at once apply each migration exactly once', async () => {
    const { owner } = await emptyDatabase();
    const runs = await Promise.all([
      migrate(owner, MIGRATIONS),
      migrate(owner, MIGRATIONS),
      migrate(owner, MIGRATIONS),
    ]);
    expect(runs.map((run) => run.applied.length).sort()).toEqual([0, 0, FILES.length]);
    expect(await recorded(owner)).toEqual(FILES);
  });

  test('two databases of one server migrate at once, although they share the roles', async () => {
    const databases = [await emptyDatabase(), await emptyDatabase(), await emptyDatabase()];
    const runs = await Promise.all(databases.map(({ owner }) => migrate(owner, MIGRATIONS)));
    expect(runs.map((run) => run.applied.length)).toEqual(databases.map(() => FILES.length));
  });

  test('a migration that fails leaves nothing of itself, and the next run goes on from there', async () => {
    const { owner } = await migratedDatabase();
    const folder = copyOfMigrations();
    const next = join(folder, `${String(FILES.length + 1).padStart(4, '0')}_broken.sql`);
    writeFileSync(next, 'create table half_made (id int);\nselect 1 / 0;\n');
    await expect(migrate(owner, folder)).rejects.toThrow(/_broken\.sql: division by zero/);
    expect(await recorded(owner)).toEqual(FILES);
    writeFileSync(next, 'create table half_made (id int);\n');
    expect((await migrate(owner, folder)).applied).toHaveLength(1);
  });

  test('an applied file that was edited is refused with what to do', async () => {
    const { owner } = await migratedDatabase();
    const folder = copyOfMigrations();
    const edited = join(folder, FILES[2] ?? '');
    writeFileSync(edited, `${readFileSync(edited, 'utf8')}-- a second thought\n`);
    await expect(migrate(owner, folder)).rejects.toThrow(
      `${FILES[2]} was edited after it had been applied: restore it as it was and write the change as a new migration`,
    );
  });

  test('a database that is ahead of the checkout is refused', async () => {
    const { owner } = await migratedDatabase();
    const folder = copyOfMigrations();
    rmSync(join(folder, FILES.at(-1) ?? ''));
    await expect(migrate(owner, folder)).rejects.toThrow(/is not in this checkout/);
  });

  test('later migrations run as hissaback_owner, which owns all tables and the record of migrations', async () => {
    const { owner } = await migratedDatabase();
    const { rows } = await onServer(owner, (client) =>
      client.query<{ name: string; owner: string }>(
        `select relname as name, pg_get_userbyid(relowner) as owner from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relowner <> 'hissaback_owner'::regrole`,
      ),
    );
    expect(rows).toEqual([]);
  });
});

describe('migrations on a managed server, where nobody is a superuser', () => {
  let server: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    server = await startThrowAway();
    await onServer(server.url, async (client) => {
      await client.query("create role managed login createrole createdb nosuperuser password 'managed'");
      await client.query('create database first owner managed');
      await client.query('create database second owner managed');
    });
  });
  afterAll(async () => {
    await server.stop();
  });

  function managedUrl(database: string): string {
    const url = new URL(inDatabase(server.url, database));
    url.username = 'managed';
    url.password = 'managed';
    return url.href;
  }

  test('a role with CREATEROLE that owns the database migrates it, roles included', async () => {
    expect(await migrate(managedUrl('first'), MIGRATIONS)).toEqual({ applied: FILES });
    expect(await migrate(managedUrl('first'), MIGRATIONS)).toEqual({ applied: [] });
  });

  test('no worker may make temporary tables', async () => {
    const { rows } = await onServer(managedUrl('first'), (client) =>
      client.query(
        `select rolname as name from pg_roles where rolname in ('hissaback_api', 'hissaback_ingest', 'hissaback_payout')
         and has_database_privilege(rolname, current_database(), 'temporary')`,
      ),
    );
    expect(rows).toEqual([]);
  });

  test('and a second database, where the roles exist', async () => {
    expect(await migrate(managedUrl('second'), MIGRATIONS)).toEqual({ applied: FILES });
  });
});
