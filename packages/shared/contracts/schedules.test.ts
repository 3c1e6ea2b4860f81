import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SCHEDULES, type ScheduledWorker, scheduleOf } from './schedules.ts';

const WORKERS: ScheduledWorker[] = ['api', 'webhook', 'payout-cron'];

/** `[expression, name]` of every cron in a wrangler.toml: the comment behind an expression names its schedule. */
function cronsOf(worker: ScheduledWorker): [string, string][] {
  const toml = readFileSync(new URL(`../../../workers/${worker}/wrangler.toml`, import.meta.url), 'utf8');
  const block = /^crons = \[(?<crons>[\s\S]*?)^(?=\[|$)/m.exec(toml)?.groups?.['crons'] ?? '';
  return [...block.matchAll(/"([^"]+)"[^#\n]*#\s*([a-z-]+)/g)].map((match) => [match[1] ?? '', match[2] ?? '']);
}

test.each(WORKERS)('the schedules of %s are those of its wrangler.toml, expression and name', (worker) => {
  const listed = SCHEDULES.filter((schedule) => schedule.worker === worker).map(({ cron, name }) => [cron, name]);
  expect(listed.toSorted()).toEqual(cronsOf(worker).toSorted());
});

test('an expression leads back to one schedule only', () => {
  for (const schedule of SCHEDULES) expect(scheduleOf(schedule.worker, schedule.cron)).toEqual(schedule);
  expect(scheduleOf('api', '5 3 * * *')).toBeUndefined();
});
