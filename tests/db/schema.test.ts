import * as schema from '@hissaback/shared/db/schema';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';

type Column = { type: string; nullable: boolean; hasDefault: boolean; primary: boolean };
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
          hasDefault: column.hasDefault,
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
              a.atthasdef as "hasDefault", coalesce(a.attnum = any (p.conkey), false) as primary
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
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

test('schema.ts and the migrated database have the same tables and columns, with types, nullability, defaults and primary keys', async () => {
  expect(declared()).toEqual(await migrated());
});
