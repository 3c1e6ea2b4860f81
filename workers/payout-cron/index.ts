import { WorkerEntrypoint } from 'cloudflare:workers';
import type {
  OperatePayout,
  PayoutCalls,
  PayoutOperated,
  ResendVoucher,
  ShowVoucher,
  VoucherResent,
  VoucherShown,
} from '@hissaback/shared/contracts/payout-calls';
import { type RunReport, scheduleOf } from '@hissaback/shared/contracts/schedules';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import type { AgcodGate } from '@hissaback/shared/domain/agcod-gate';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import type { PayoutDeps } from './deps.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { operatePayout } from './operate.ts';
import { resendVoucher } from './resend-voucher.ts';
import { runSchedule } from './run-schedule.ts';
import { showVoucher } from './show-voucher.ts';

async function withDeps<T>(env: PayoutEnv, work: (deps: PayoutDeps) => Promise<T>): Promise<T> {
  const db = oneAtATime(openDatabase(databaseBinding(env)));
  const { DB: _, EVIDENCE: evidence, AGCOD_GATE: gates, ...settings } = env;
  try {
    return await work({
      db,
      settings,
      // The object lives in another Worker, so its type cannot come with the binding.
      gate: gates.get(gates.idFromName('agcod')) as unknown as AgcodGate,
      evidence,
      clock: systemClock,
      random: systemRandom,
      fetch: (input, init) => fetch(input, init),
      sleep: (milliseconds) => scheduler.wait(milliseconds),
    });
  } finally {
    await db.end();
  }
}

const run = (env: PayoutEnv, name: string): Promise<RunReport> => withDeps(env, (deps) => runSchedule(deps, name));

/** What the api's payout endpoint and the local stack call. */
export class Schedules extends WorkerEntrypoint<PayoutEnv> {
  async run(name: string): Promise<RunReport> {
    return run(this.env, name);
  }
}

/** What the api asks on behalf of operators and shoppers: only this worker holds AGCOD's keys. */
export class Payouts extends WorkerEntrypoint<PayoutEnv> implements PayoutCalls {
  async operate(request: OperatePayout): Promise<PayoutOperated> {
    return withDeps(this.env, (deps) => operatePayout(deps, request));
  }

  async voucher(request: ShowVoucher): Promise<VoucherShown> {
    return withDeps(this.env, (deps) => showVoucher(deps, request));
  }

  async resend(request: ResendVoucher): Promise<VoucherResent> {
    return withDeps(this.env, (deps) => resendVoucher(deps, request));
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
