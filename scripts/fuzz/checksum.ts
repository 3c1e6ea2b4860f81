/** Runs a superuser's statement and answers its rows. */
type Sql = (text: string) => Promise<Record<string, unknown>[]>;

/** Tables that change by themselves. */
const RESTLESS = ['schedule_runs', 'schema_migrations'];

/** Tables that only the consumers of queues write: they follow what was accepted earlier. */
export const WRITTEN_BEHIND = [
  ...['clicks', 'conversion_aliases', 'conversion_identities', 'conversions', 'daily_rollups', 'dead_letters'],
  ...[
    'journal_entries',
    'ledger',
    'order_keys',
    'order_keys_past',
    'payee_accounts',
    'postbacks',
    'unmatched_conversions',
    'visitors',
  ],
  ...['notices', 'webhook_deliveries', 'webhook_attempts'],
];

/** Of every table its number of rows and the sum of their hashes, as a text. */
export type Checksum = ReadonlyMap<string, string>;

/** The tables in which two checksums differ. */
export function changedTables(before: Checksum, after: Checksum): string[] {
  return [...after].filter(([table, text]) => before.get(table) !== text).map(([table]) => table);
}

/** Makes a function that answers the checksum of all tables but those in `except`. */
export async function tableChecksum(sql: Sql, except: readonly string[] = []): Promise<() => Promise<Checksum>> {
  const tables = await sql(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
       and relname <> all ('{${[...RESTLESS, ...except].join(',')}}') order by 1`,
  );
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as name, count(*) as rows, coalesce(sum(hashtextextended(t::text, 0)), 0) as sum from ${name} t`,
  );
  const text = parts.join(' union all ');
  return async () => new Map((await sql(text)).map(({ name, rows, sum }) => [String(name), `${rows}:${sum}`]));
}
