import type { RunReport } from '@hissaback/shared/contracts/schedules';
import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { runPublish } from './publish/run.ts';

/** Runs this worker's schedule of that name. Never throws; an unknown name is a report that is not ok. */
export async function runSchedule(
  name: string,
  env: ApiEnv,
  chance: { clock: Clock; random: Random },
): Promise<RunReport> {
  if (name === 'publish') return runPublish(env, chance);
  return { schedule: name, ok: false, counts: {}, error: 'the api has no such schedule' };
}
