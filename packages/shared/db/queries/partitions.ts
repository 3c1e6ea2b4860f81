import type { Tx } from '../types.ts';

const MONTHLY = ['clicks', 'conversions', 'postbacks'];
const LEDGER_BRANCHES = 8;

/** The names of this and the next month's partitions that do not exist. `now` in milliseconds since the Unix epoch. */
export async function missingPartitions(tx: Tx, now: number): Promise<string[]> {
  const names = new Set([0, 1].flatMap((ahead) => partitionNames(now, ahead)));
  const { rows } = await tx.query<{ name: string }>(
    `select n as name from unnest($1::text[]) as n where to_regclass('public.' || n) is null order by n`,
    [[...names]],
  );
  return rows.map(({ name }) => name);
}

/** Makes what is missing from `back` months before `now` to `ahead` after it; returns how many. */
export async function createPartitions(tx: Tx, now: number, back: number, ahead: number): Promise<number> {
  const { rows } = await tx.query<{ made: number }>('select ensure_partitions($1, $2, $3) as made', [
    new Date(now),
    back,
    ahead,
  ]);
  return rows[0]?.made ?? 0;
}

function partitionNames(now: number, monthsAhead: number): string[] {
  const today = new Date(now);
  const month = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + monthsAhead, 1));
  const stamp = `${month.getUTCFullYear()}${String(month.getUTCMonth() + 1).padStart(2, '0')}`;
  const quarter = `${month.getUTCFullYear()}q${Math.floor(month.getUTCMonth() / 3) + 1}`;
  return [
    ...MONTHLY.map((parent) => `${parent}_${stamp}`),
    ...Array.from({ length: LEDGER_BRANCHES }, (_, branch) => `ledger_h${branch}_${quarter}`),
  ];
}
