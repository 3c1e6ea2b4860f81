import type { Tx } from '../../packages/shared/db/types.ts';

/** What a statement touched: pages of the buffer cache, and rows that it or what it called (functions, triggers) read. */
export type Touched = { text: string; pages: number; rows: number };

type Plan = {
  'Node Type': string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: Plan[];
};

const ROWS_READ = `select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as rows from pg_stat_xact_user_tables`;

/** Small tables are read whole, rightly. What is asked here is what would be read of large ones, so the planner has to do without. */
const AS_IF_LARGE =
  'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off'.split('; ');

/**
 * A transaction that notes of each statement what it touches: EXPLAIN (ANALYZE, BUFFERS) runs it once behind a savepoint, which undoes it, and then it runs as
 * it is.
 */
export function explained(tx: Tx, into: Touched[]): Tx {
  const rowsRead = async () => (await tx.query<{ rows: number }>(ROWS_READ)).rows[0]?.rows ?? 0;
  return {
    ...tx,
    query: async (text, params = []) => {
      await tx.query('savepoint explained');
      for (const setting of AS_IF_LARGE) await tx.query(setting);
      const before = await rowsRead();
      const { rows } = await tx.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `explain (analyze, buffers, format json) ${text}`,
        params,
      );
      const read = (await rowsRead()) - before;
      const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
      if (plan === undefined) throw new Error('EXPLAIN has no plan');
      await tx.query('rollback to savepoint explained');
      into.push({
        text,
        pages: pagesOf(plan),
        rows: read,
      });
      return tx.query(text, params);
    },
  };
}

/** A node's pages contain those below it, but for the parts of a statement that write: they run at its end. */
function pagesOf(plan: Plan): number {
  const writing = (plan.Plans ?? []).filter((part) => part['Node Type'] === 'ModifyTable');
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] + writing.reduce((sum, part) => sum + pagesOf(part), 0);
}
