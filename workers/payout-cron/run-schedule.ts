import type { RunReport } from '@hissaback/shared/contracts/schedules';
import { recordRun } from '@hissaback/shared/db/queries/schedules';
import { audit } from './audit.ts';
import { ConfigError } from './config.ts';
import type { PayoutDeps } from './deps.ts';
import { logEvent } from './log.ts';
import { nightlyRetry } from './nightly-retry.ts';
import { page } from './page.ts';
import { partitions } from './partitions.ts';
import { payout } from './payout.ts';
import { release } from './release.ts';

type Schedule = (deps: PayoutDeps) => Promise<Record<string, number>>;

const SCHEDULES: ReadonlyMap<string, Schedule> = new Map([
  ['release', release],
  ['payout', payout],
  ['nightly-retry', nightlyRetry],
  ['audit', audit],
  ['partitions', partitions],
]);

/** Runs one schedule to its end and reports. Never throws: what went wrong is the report's error. */
export async function runSchedule(deps: PayoutDeps, name: string): Promise<RunReport> {
  const schedule = SCHEDULES.get(name);
  if (schedule === undefined) return { schedule: name, ok: false, counts: {}, error: 'no such schedule' };
  const report = await recordRun(deps.db, name, deps.clock, () => schedule(deps));
  logEvent(report.ok ? 'info' : 'error', 'schedule_run', {
    schedule: name,
    ...report.counts,
    error: report.error ?? '',
  });
  if (report.error?.startsWith(`${ConfigError.name}:`)) {
    await page(deps, {
      dedupKey: `schedule:${name}:config`,
      summary: `The schedule ${name} cannot run: ${report.error}`,
      severity: 'critical',
    });
  }
  return report;
}
