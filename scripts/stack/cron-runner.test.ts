import { expect, test } from 'vitest';
import { Crons } from './cron-runner.ts';

const EVERY_MINUTE = { name: 'payout', worker: 'payout-cron', cron: '* * * * *' } as const;
const AT_FIVE = { name: 'release', worker: 'payout-cron', cron: '*/5 * * * *' } as const;
const minute = (number: number) => Date.parse('2026-11-23T00:00:00Z') + number * 60_000;

function recorder() {
  const fired: string[] = [];
  const entries: Record<string, unknown>[] = [];
  return { fired, entries, log: (entry: Record<string, unknown>) => void entries.push(entry) };
}

test('each schedule is fired in its minutes only', async () => {
  const { fired, log } = recorder();
  const crons = new Crons(async (name) => void fired.push(name), log, [EVERY_MINUTE, AT_FIVE]);
  for (const number of [4, 5, 6]) await crons.tick(minute(number));
  expect(fired).toEqual(['payout', 'payout', 'release', 'payout']);
});

test('a run still going on is not fired again, and is fired again once it has ended', async () => {
  const { fired, log } = recorder();
  const ends: (() => void)[] = [];
  const fire = (name: string) => {
    fired.push(name);
    return new Promise<void>((resolve) => void ends.push(resolve));
  };
  const crons = new Crons(fire, log, [EVERY_MINUTE]);
  const first = crons.tick(minute(1));
  await crons.tick(minute(2));
  expect(fired).toEqual(['payout']);
  ends[0]?.();
  await first;
  const second = crons.tick(minute(3));
  expect(fired).toEqual(['payout', 'payout']);
  ends[1]?.();
  await second;
});

test('a run that fails is logged and fired again in its next minute', async () => {
  const { fired, entries, log } = recorder();
  const fire = async (name: string) => {
    fired.push(name);
    throw new Error('connection refused');
  };
  const crons = new Crons(fire, log, [EVERY_MINUTE]);
  await crons.tick(minute(1));
  await crons.tick(minute(2));
  expect(fired).toHaveLength(2);
  expect(entries[0]).toMatchObject({ schedule: 'payout', error: expect.stringContaining('refused') });
});

test('after stop nothing is fired', async () => {
  const { fired, log } = recorder();
  const crons = new Crons(async (name) => void fired.push(name), log, [EVERY_MINUTE]);
  crons.stop();
  await crons.tick(minute(1));
  expect(fired).toEqual([]);
});
