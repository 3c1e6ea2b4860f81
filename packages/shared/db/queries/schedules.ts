import type { RunReport } from '../../contracts/schedules.ts';
import type { Clock } from '../../domain/chance.ts';
import type { Database, Tx } from '../types.ts';

const LONGEST_ERROR = 500;

/**
 * Runs a schedule and leaves its trace in `schedule_runs`: when it began, when it last succeeded, why it failed. A failure becomes the report's
 * error and is never thrown. `work` answers the run's own counts.
 */
export async function recordRun(
  db: Database,
  schedule: string,
  clock: Clock,
  work: () => Promise<Record<string, number>>,
): Promise<RunReport> {
  try {
    await db.transaction((tx) => runStarted(tx, schedule, clock.now()));
    const counts = await work();
    await db.transaction((tx) => runSucceeded(tx, schedule, clock.now()));
    return { schedule, ok: true, counts };
  } catch (error) {
    const reason = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, LONGEST_ERROR);
    // The trace of a failure is worth less than the failure: PostgreSQL itself may be what failed.
    await db.transaction((tx) => runFailed(tx, schedule, reason)).catch(() => undefined);
    return { schedule, ok: false, counts: {}, error: reason };
  }
}

/** Times are milliseconds since the Unix epoch. */
export async function runStarted(tx: Tx, schedule: string, at: number): Promise<void> {
  await tx.query(
    `insert into schedule_runs (name, last_started_at) values ($1, $2)
     on conflict (name) do update set last_started_at = excluded.last_started_at`,
    [schedule, new Date(at)],
  );
}

export async function runSucceeded(tx: Tx, schedule: string, at: number): Promise<void> {
  await tx.query('update schedule_runs set last_succeeded_at = $2, last_error = null where name = $1', [
    schedule,
    new Date(at),
  ]);
}

export async function runFailed(tx: Tx, schedule: string, reason: string): Promise<void> {
  await tx.query(
    `insert into schedule_runs (name, last_error) values ($1, $2)
     on conflict (name) do update set last_error = excluded.last_error`,
    [schedule, reason],
  );
}

/** How far a schedule came, as its last run left it; an empty object at first. */
export async function readWatermark(tx: Tx, schedule: string): Promise<Record<string, unknown>> {
  const { rows } = await tx.query<{ watermark: Record<string, unknown> }>(
    'select watermark from schedule_runs where name = $1',
    [schedule],
  );
  return rows[0]?.watermark ?? {};
}

/** Merges `values` into the schedule's watermark. */
export async function writeWatermark(tx: Tx, schedule: string, values: Record<string, unknown>): Promise<void> {
  await tx.query(
    `insert into schedule_runs (name, watermark) values ($1, $2::jsonb)
     on conflict (name) do update set watermark = schedule_runs.watermark || excluded.watermark`,
    [schedule, JSON.stringify(values)],
  );
}
