import { payoutRun as payoutRunAnswer } from '@hissaback/shared/contracts/rewards';
import type { RunReport } from '@hissaback/shared/contracts/schedules';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { operation } from '../openapi/operation.ts';

/** `POST /v1/rewards/payout/run` -> `{paid_count}`, for cron tokens: passed on to the one worker that holds AGCOD's keys. */
export const payoutRun = new Hono<ApiContext>().post(
  '/v1/rewards/payout/run',
  operation({
    id: 'runPayouts',
    summary: 'Run the payouts that are due',
    answer: payoutRunAnswer,
    errors: ['unavailable'],
  }),
  authenticate(['cron']),
  async (c) => {
    const report = await runPayouts(c.env);
    if (!report.ok) {
      c.var.log.error('payout_run_failed', { error: report.error, ...report.counts });
      throw new ProblemError('unavailable', { detail: 'The run did not end well; what it did stands.' });
    }
    return c.json({ paid_count: report.counts.paid ?? 0 });
  },
);

function runPayouts(env: ApiEnv): Promise<RunReport> {
  // A generated environment knows no methods of another worker's entrypoint.
  const schedules = env.PAYOUT_CRON as unknown as { run(name: string): Promise<RunReport> };
  return schedules.run('payout');
}
