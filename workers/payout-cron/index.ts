import { WorkerEntrypoint } from 'cloudflare:workers';
import { type RunReport, scheduleOf } from '@hissaback/shared/contracts/schedules';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import type { AgcodGate } from '@hissaback/shared/domain/agcod-gate';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { oneAtATime } from './one-at-a-time.ts';
import { runSchedule } from './run-schedule.ts';

async function run(env: PayoutEnv, name: string): Promise<RunReport> {
  const db = oneAtATime(openDatabase(databaseBinding(env)));
  const { DB: _, EVIDENCE: evidence, AGCOD_GATE: gates, ...settings } = env;
  try {
    return await runSchedule(
      {
        db,
        settings,
        // The object lives in another Worker, so its type cannot come with the binding.
        gate: gates.get(gates.idFromName('agcod')) as unknown as AgcodGate,
        evidence,
        clock: systemClock,
        random: systemRandom,
        fetch: (input, init) => fetch(input, init),
        sleep: (milliseconds) => scheduler.wait(milliseconds),
      },
      name,
    );
  } finally {
    await db.end();
  }
}

/** What the api's payout endpoint and the local stack call. */
export class Schedules extends WorkerEntrypoint<PayoutEnv> {
  async run(name: string): Promise<RunReport> {
    return run(this.env, name);
  }
}

export default {
  fetch: () => new Response(null, { status: 404 }),
  async scheduled(controller, env) {
    const schedule = scheduleOf('payout-cron', controller.cron);
    if (schedule === undefined) throw new Error(`no schedule for the cron ${controller.cron}`);
    const report = await run(env, schedule.name);
    if (!report.ok) throw new Error(`${report.schedule}: ${report.error}`);
  },
} satisfies ExportedHandler<PayoutEnv>;
