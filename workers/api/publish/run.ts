import type { RunReport } from '@hissaback/shared/contracts/schedules';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { createLog, type Log } from '@hissaback/shared/http/log';
import { type SweepCounts, type Sweeper, sweep } from './sweep.ts';

/**
 * One run of the schedule `publish`. Never throws: the report says how it went.
 *
 * @param work what to do; the whole sweep unless told
 */
export async function runPublish(
  env: ApiEnv,
  scope: { clock: Clock; random: Random; log?: Log },
  work: (sweeper: Sweeper) => Promise<SweepCounts> = sweep,
): Promise<RunReport> {
  const log = scope.log ?? createLog({ clock: scope.clock, service: 'api' });
  const db = openDatabase(databaseBinding(env), { random: scope.random });
  try {
    const counts = await work({ db, links: env.LINKS, clock: scope.clock, log });
    const report: RunReport = { schedule: 'publish', ok: counts.failed === 0, counts };
    log.info('publish_run', { ...counts });
    return report.ok ? report : { ...report, error: 'KV refused some copies' };
  } catch (error) {
    log.error('publish_run_failed', { error });
    return { schedule: 'publish', ok: false, counts: {}, error: 'the run failed; the log says why' };
  } finally {
    await db.end();
  }
}
