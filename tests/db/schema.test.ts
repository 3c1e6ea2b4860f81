import * as schema from '@hissaback/shared/db/schema';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';

/** `standard` is the column's default as an expression, or null. */
type Column = { type: string; nullable: boolean; standard: string | null; primary: boolean };
type Tables = Record<string, Record<string, Column>>;

/** Tables that no query of ours goes through. */
const NOT_IN_DRIZZLE = new Set(['schema_migrations']);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(async () => {
  await database.drop();
});

function declared(): Tables {
  const tables: Tables = {};
  for (const value of Object.values(schema)) {
    if (!(value instanceof PgTable)) continue;
    const { name, columns, primaryKeys } = getTableConfig(value);
    const key = new Set(primaryKeys.flatMap((primaryKey) => primaryKey.columns.map((column) => column.name)));
    tables[name] = Object.fromEntries(
      columns.map((column) => [
        column.name,
        {
          type: column.getSQLType().replace(', ', ','),
          nullable: !column.notNull,
          standard: column.hasDefault ? literal(column.default, column.getSQLType()) : null,
          primary: column.primary || key.has(column.name),
        },
      ]),
    );
  }
  return tables;
}

async function migrated(): Promise<Tables> {
  const { rows } = await onServer(database.owner, (client) =>
    client.query<Column & { table: string; column: string }>(
      `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
              pg_get_expr(d.adbin, d.adrelid) as standard, coalesce(a.attnum = any (p.conkey), false) as primary
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       left join pg_constraint p on p.conrelid = c.oid and p.contype = 'p'
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
    ),
  );
  const tables: Tables = {};
  for (const { table, column, type, ...rest } of rows) {
    if (NOT_IN_DRIZZLE.has(table)) continue;
    tables[table] ??= {};
    tables[table][column] = {
      type: type.replace('character varying', 'varchar').replace('character', 'char'),
      ...rest,
    };
  }
  return tables;
}

function literal(value: unknown, type: string): string {
  if (value === undefined) throw new Error('a default that is computed has no literal');
  // An array's own notation has braces; every array that is a default is empty.
  const text = type.endsWith('[]') ? '{}' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `'${text.replaceAll("'", "''")}'`;
}

/** The tables with each default as PostgreSQL writes its value: '0' and 0.00 are one default of NUMERIC(14,2). */
async function withValues(tables: Tables): Promise<Tables> {
  const columns = Object.values(tables).flatMap((table) => Object.values(table));
  const set = columns.filter(({ standard }) => standard !== null);
  const list = set.map(({ standard, type }) => `(${standard})::${type}::text`).join(', ');
  const { rows } = await onServer(database.owner, (client) =>
    client.query<(string | null)[]>({ text: `select ${list}`, rowMode: 'array' }),
  );
  for (const [index, column] of set.entries()) column.standard = rows[0]?.[index] ?? null;
  return tables;
}

test('schema.ts and the migrated database have the same tables and columns, with types, nullability, defaults and primary keys', async () => {
  expect(await withValues(declared())).toEqual(await withValues(await migrated()));
});
