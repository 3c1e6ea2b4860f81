import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const run = async () =>
  on.call('POST', '/v1/rewards/payout/run', { token: await on.token({ sub: 'cron', role: 'cron' }) });

test('a run answers with the number of vouchers paid', async () => {
  on.payoutReport = { schedule: 'payout', ok: true, counts: { claimed: 3, paid: 2 } };
  expect(await run()).toMatchObject({ status: 200, json: { paid_count: 2 } });
  on.payoutReport = { schedule: 'payout', ok: true, counts: {} };
  expect((await run()).json).toEqual({ paid_count: 0 });
});

test('a run that failed is 503 and keeps its reason to the log', async () => {
  on.payoutReport = { schedule: 'payout', ok: false, counts: {}, error: 'AGCOD F300' };
  const answer = await run();
  expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
  expect(answer.text).not.toContain('F300');
  expect(on.logs.join()).toContain('F300');
});

test('an operator, who is no cron, starts no payouts', async () => {
  const { token } = await on.operator();
  expect((await on.call('POST', '/v1/rewards/payout/run', { token })).status).toBe(403);
});
