import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** One numbered SQL file. */
export type Migration = { version: number; file: string; checksum: string; sql: string };

const FILE = /^(\d{4})_[a-z0-9_]+\.sql$/;
/** Any number will do, as long as every runner takes the same one. */
const LOCK_KEY = '7218034512';
const LOCK_TIMEOUT_MS = 120_000;
const ROLE_ATTEMPTS = 10;

/**
 * The migrations of a directory in their order. Throws an Error for a file whose name is not `NNNN_name.sql`, and for numbers that do not run
 * 1, 2, 3 without gap or double.
 */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const migrations: Migration[] = [];
  for (const [index, file] of files.entries()) {
    const number = FILE.exec(file)?.[1];
    if (number === undefined) throw new Error(`${file}: a migration is named NNNN_name.sql (digits, then lower case)`);
    const version = Number(number);
    if (version !== index + 1) {
      throw new Error(
        `${file}: expected number ${String(index + 1).padStart(4, '0')}; numbers run from 0001 without gap or double`,
      );
    }
    const sql = await readFile(join(directory, file), 'utf8');
    migrations.push({ version, file, sql, checksum: createHash('sha256').update(sql).digest('hex') });
  }
  return migrations;
}

/**
 * Brings the database at `ownerUrl` up to the last migration of `directory`, forward only, each in a transaction of its own; answers what it
 * applied. Safe to run twice, and from several places at once: one applies, the others wait and find it done. `ownerUrl` belongs to a superuser,
 * or to a role with CREATEROLE that owns the database. Throws an Error if an applied file was edited or is missing.
 */
export async function migrate(
  ownerUrl: string,
  directory: string,
  log: (line: string) => void = () => undefined,
): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(directory);
  const client = new pg.Client({ connectionString: ownerUrl });
  client.on('error', () => undefined); // the query that waits for an answer reports it
  await client.connect();
  try {
    await client.query(
      `set search_path = public; set lock_timeout = ${LOCK_TIMEOUT_MS}; select pg_advisory_lock(${LOCK_KEY})`,
    );
    const done = await readApplied(client);
    compare(migrations, done);
    const applied: string[] = [];
    for (const migration of migrations.slice(done.length)) {
      const started = performance.now();
      await apply(client, migration);
      applied.push(migration.file);
      log(`${migration.file} applied in ${Math.round(performance.now() - started)} ms`);
    }
    return { applied };
  } finally {
    await client.end().catch(() => undefined); // frees the lock as well
  }
}

type Applied = { version: number; name: string; checksum: string };

async function readApplied(client: pg.Client): Promise<Applied[]> {
  const { rows } = await client.query<{ present: boolean }>(
    "select to_regclass('public.schema_migrations') is not null as present",
  );
  if (!rows[0]?.present) return [];
  return asOwner(
    client,
    async () =>
      (await client.query<Applied>('select version, name, checksum from public.schema_migrations order by version'))
        .rows,
  );
}

function compare(migrations: Migration[], done: Applied[]): void {
  for (const [index, { version, name, checksum }] of done.entries()) {
    const migration = migrations[index];
    if (migration?.version !== version || migration.file !== name) {
      throw new Error(
        `${name} was applied to this database but is not in this checkout: deploy a checkout that has it`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new Error(
        `${name} was edited after it had been applied: restore it as it was and write the change as a new migration`,
      );
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await (migration.version === 1 ? found(client, migration) : asOwner(client, () => run(client, migration)));
      return;
    } catch (error) {
      // Roles belong to the whole server: another database's first migration may be changing the same ones.
      if (!(migration.version === 1 && attempt < ROLE_ATTEMPTS && isRoleRace(error))) {
        throw new Error(`${migration.file}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
  }
}

/** The first migration makes the roles, so it runs as the connecting administrator; the record belongs to the owner from the start. */
async function found(client: pg.Client, migration: Migration): Promise<void> {
  await inTransaction(client, async () => {
    await client.query(migration.sql);
    await client.query(`set local role hissaback_owner;
      create table public.schema_migrations (version int primary key, name text not null, checksum text not null, applied_at timestamptz not null)`);
    await record(client, migration);
  });
}

async function run(client: pg.Client, migration: Migration): Promise<void> {
  await client.query(migration.sql);
  await record(client, migration);
}

async function record(client: pg.Client, migration: Migration): Promise<void> {
  await client.query(
    'insert into public.schema_migrations (version, name, checksum, applied_at) values ($1, $2, $3, clock_timestamp())',
    [migration.version, migration.file, migration.checksum],
  );
}

function asOwner<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  return inTransaction(client, async () => {
    await client.query('set local role hissaback_owner');
    return work();
  });
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

function isRoleRace(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  if (error.code === '23505') return error.table === 'pg_authid' || error.table === 'pg_auth_members';
  return error.code === 'XX000' && error.message === 'tuple concurrently updated';
}
