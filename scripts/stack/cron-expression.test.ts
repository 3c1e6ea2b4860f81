import { SCHEDULES } from '@hissaback/shared/contracts/schedules';
import { expect, test } from 'vitest';
import { fallsOn } from './cron-expression.ts';

const at = (iso: string) => Date.parse(iso);

test.each([
  ['* * * * *', '2026-11-23T02:44:59Z', true],
  ['*/2 * * * *', '2026-11-23T02:44:00Z', true],
  ['*/2 * * * *', '2026-11-23T02:45:00Z', false],
  ['17 * * * *', '2026-11-23T23:17:30Z', true],
  ['17 * * * *', '2026-11-23T23:18:00Z', false],
  ['45 20 * * *', '2026-11-23T20:45:00Z', true],
  ['45 20 * * *', '2026-11-23T02:45:00+05:30', false],
  ['45 20 * * *', '2026-11-24T02:15:00+05:30', true],
  ['0 0 1 1 *', '2027-01-01T00:00:00Z', true],
  ['0 0 1 1 *', '2027-02-01T00:00:00Z', false],
  ['0 9 * * 2-6', '2026-11-23T09:00:00Z', true], // a Monday
  ['0 9 * * 2-6', '2026-11-22T09:00:00Z', false], // a Sunday
  ['0 9 13 * 6', '2026-11-13T09:00:00Z', true], // a Friday and a 13th
  ['0 9 13 * 6', '2026-11-20T09:00:00Z', true], // either day is enough
  ['0 9 13 * 6', '2026-11-21T09:00:00Z', false],
  ['5,35 10-12/2 * * *', '2026-11-21T12:35:00Z', true],
  ['5,35 10-12/2 * * *', '2026-11-21T11:35:00Z', false],
  ['10/20 * * * *', '2026-11-21T11:50:00Z', true],
])('%s at %s: %s', (cron, iso, expected) => {
  expect(fallsOn(cron, at(iso))).toBe(expected);
});

test.each(['', '* * * *', '60 * * * *', '*/0 * * * *', '5-1 * * * *', '* * * * 0', 'a * * * *', '1.5 * * * *'])(
  'the expression %j is refused',
  (cron) => {
    expect(() => fallsOn(cron, 0)).toThrow(/cron/);
  },
);

test('every schedule of the platform falls on some minute of a day', () => {
  const minutes = Array.from({ length: 1440 }, (_, minute) => at('2026-11-23T00:00:00Z') + minute * 60_000);
  for (const { cron } of SCHEDULES) expect(minutes.some((minute) => fallsOn(cron, minute))).toBe(true);
});
