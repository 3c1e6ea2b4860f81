import type { ImportReport } from '@hissaback/shared/db/queries/reconciliation';
import type { Database } from '@hissaback/shared/db/types';
import { CsvError } from '@hissaback/shared/domain/csv';
import { readNetworkRow } from '@hissaback/shared/domain/postback';
import { Backlog } from './backlog.ts';
import { csvRows } from './csv-rows.ts';
import type { Deps } from './deps.ts';
import { foreseeNetworkRows, takeNetworkRows } from './network-rows.ts';

const ROWS_AT_ONCE = 500;
/** The most rows of one file. */
const MOST_ROWS = 1_000_000;
/** Errors kept with their lines; all are counted. */
const MOST_ERRORS = 100;

/** What a file of conversions must have: whose it is, for what, what became of it. */
export const NEEDED_COLUMNS = ['_id', 'campaign_id', 'status'] as const;

/**
 * Takes a CSV file of the network's conversions row by row, in bounded memory: every row that can be read and says something new enters the same path
 * as postbacks, never far ahead of the books; the others are reported with their lines. A dry run only says what would happen.
 * @param progress is told the figures after each batch
 * @returns the figures; a file that breaks off half-way is a report whose last error says where, never an exception
 */
export async function importCsv(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
  file: { body: ReadableStream<Uint8Array>; dryRun: boolean },
  progress: (report: ImportReport) => Promise<void> = async () => undefined,
): Promise<ImportReport & { isWhole: boolean }> {
  const report: ImportReport = { listed: 0, sent: 0, known: 0, failed: 0, errors: [] };
  const fail = (line: number, reason: string): void => {
    report.failed += 1;
    if (report.errors.length < MOST_ERRORS) report.errors.push({ line, reason });
  };
  let batch: Record<string, string>[] = [];
  const flush = async (): Promise<void> => {
    const counts = file.dryRun ? await foreseeNetworkRows(db, env, batch) : await take(batch);
    report.sent += counts.sent;
    report.known += counts.known;
    batch = [];
    await progress(report);
  };
  const backlog = new Backlog(db, deps);
  const take = async (rows: readonly Record<string, string>[]) => {
    const counts = await takeNetworkRows(db, env, deps, rows, { source: 'csv' });
    if (counts.lastId !== null) await backlog.sent({ lastId: counts.lastId, count: counts.sent });
    return counts;
  };
  try {
    for await (const { line, values, problem } of csvRows(file.body, NEEDED_COLUMNS)) {
      report.listed += 1;
      if (report.listed > MOST_ROWS) throw new CsvError(line, `the file has more than ${MOST_ROWS} rows`);
      const reading = problem === null ? readNetworkRow(values) : { ok: false as const, reason: problem };
      if (!reading.ok) fail(line, reading.reason);
      else if ((values._id ?? '').trim() === '') fail(line, 'bad_id');
      else batch.push(values);
      if (batch.length >= ROWS_AT_ONCE) await flush();
    }
    if (batch.length > 0) await flush();
    return { ...report, isWhole: true };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (batch.length > 0) await flush();
    fail(error.line, error.message);
    return { ...report, isWhole: false };
  }
}
