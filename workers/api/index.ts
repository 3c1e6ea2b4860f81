import { WorkerEntrypoint } from 'cloudflare:workers';
import { type RunReport, scheduleOf } from '@hissaback/shared/contracts/schedules';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { createApp } from './app.ts';
import { runSchedule } from './schedules.ts';

const chance = { clock: systemClock, random: systemRandom };
const app = createApp(chance);

export default {
  fetch: app.fetch,
  async scheduled(controller, env) {
    const name = scheduleOf('api', controller.cron)?.name ?? controller.cron;
    const report = await runSchedule(name, env, chance);
    if (!report.ok) throw new Error(`${report.schedule}: ${report.error ?? 'failed'}`);
  },
} satisfies ExportedHandler<ApiEnv>;

/** Runs a schedule on demand, for the local stack and for operators. */
export class Schedules extends WorkerEntrypoint<ApiEnv> {
  run(name: string): Promise<RunReport> {
    return runSchedule(name, this.env, chance);
  }
}
