import { downloadCsv, TrackierError } from '@hissaback/shared/clients/trackier';
import { beginImport, importedDays, saveImport } from '@hissaback/shared/db/queries/reconciliation';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import type { Database } from '@hissaback/shared/db/types';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import type { Deps } from './deps.ts';
import { importCsv } from './import-csv.ts';
import { callOperators, endCall } from './incident.ts';
import { callNetwork } from './network-call.ts';
import { dayOf } from './network-rows.ts';

const DAY_MS = 86_400_000;
/** How far back missed days are fetched. */
const MOST_DAYS = 30;
/** Days whose file cannot be had that one run asks for: one that is never made must not keep the later ones away, and a network that is down is left alone. */
const MOST_FAILURES = 3;
/** A day that is still missing so long after its end is a person's to look at. */
const MISSED_MS = 2 * DAY_MS;
const INCIDENT = {
  name: 'daily-csv',
  summary: "The network's daily CSV of a day cannot be had, or breaks off, for two days: see docs/operations.md",
  severity: 'error',
} as const;

export type CsvCounts = { csv_days: number; csv_listed: number; csv_sent: number; csv_failed: number };

/**
 * Pulls the network's daily file of every day up to yesterday that was not taken yet: a run that never was, or died half-way, is made up for
 * (fault 34). The first time it begins with yesterday.
 * Operators are called while one is missing for two days.
 * @throws TrackierError when a day's file cannot be had; the others are done
 */
export async function pullDailyCsv(db: Database, env: WebhookEnv, deps: Deps): Promise<CsvCounts> {
  const counts: CsvCounts = { csv_days: 0, csv_listed: 0, csv_sent: 0, csv_failed: 0 };
  if (env.TRACKIER_CSV_URL === '') return counts;
  const yesterday = deps.clock.now() - DAY_MS;
  const mark = await db.transaction((tx) => readWatermark(tx, 'reconcile'));
  const since = typeof mark.csv_since === 'string' ? mark.csv_since : dayOf(yesterday);
  if (mark.csv_since !== since) await db.transaction((tx) => writeWatermark(tx, 'reconcile', { csv_since: since }));
  const first = Math.max(Date.parse(since), Date.parse(dayOf(yesterday)) - (MOST_DAYS - 1) * DAY_MS);
  const done = await db.transaction((tx) => importedDays(tx, dayOf(first)));
  const failures: unknown[] = [];
  let missing: number | null = null;
  for (let at = first; at <= yesterday && failures.length < MOST_FAILURES; at += DAY_MS) {
    const day = dayOf(at);
    if (done.has(day)) continue;
    const isWhole = await pullDay(db, env, deps, day, counts).catch((error: unknown) => {
      if (!(error instanceof TrackierError)) throw error;
      failures.push(error);
      return false;
    });
    if (!isWhole) missing ??= at;
  }
  if (missing === null) await endCall(db, env, deps, INCIDENT.name);
  else if (missing + DAY_MS + MISSED_MS <= deps.clock.now()) await callOperators(db, env, deps, INCIDENT);
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return counts;
}

/** False for a file that breaks off: it is fetched again by the next run, and what was taken of it is known then. */
async function pullDay(db: Database, env: WebhookEnv, deps: Deps, day: string, counts: CsvCounts): Promise<boolean> {
  const body = await callNetwork(deps, () => downloadCsv({ url: env.TRACKIER_CSV_URL, fetch: deps.fetch }, day));
  const id = mintUuid(deps.random);
  const at = deps.clock.now();
  await db.transaction((tx) => beginImport(tx, { id, source: 'daily', day, dryRun: false, by: null, at }));
  const report = await importCsv(db, env, deps, { body, dryRun: false });
  const ended = report.isWhole ? deps.clock.now() : null;
  await db.transaction((tx) => saveImport(tx, id, report, ended));
  counts.csv_days += 1;
  counts.csv_listed += report.listed;
  counts.csv_sent += report.sent;
  counts.csv_failed += report.failed;
  return report.isWhole;
}
