import { describe, expect, it } from 'vitest';
import { nextPayoutPeriod, parsePayoutDay, payoutPeriod } from './creator-schedule.ts';

const at = (text: string): number => Date.parse(text);
const text = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

describe('when creators are paid', () => {
  it.each([
    ['1', 1],
    ['28', 28],
    ['daily', 'daily'],
    ['never', 'never'],
  ])('%s', (given, day) => expect(parsePayoutDay(given)).toBe(day));

  it.each(['', '0', '29', '31', '-1', '1.5', 'Daily', '１'])('never %j', (given) =>
    expect(() => parsePayoutDay(given)).toThrow(RangeError),
  );

  it('a period lasts from midnight in India of the day until that of the next month, over years and leap days too', () => {
    expect(text(payoutPeriod(1, at('2028-02-29T18:29:59Z')))).toBe('2028-01-31T18:30:00.000Z');
    expect(text(payoutPeriod(1, at('2028-02-29T18:30:00Z')))).toBe('2028-02-29T18:30:00.000Z');
    expect(text(nextPayoutPeriod(1, at('2028-02-29T18:29:59Z')))).toBe('2028-02-29T18:30:00.000Z');
    expect(text(nextPayoutPeriod(1, at('2026-12-31T18:30:00Z')))).toBe('2027-01-31T18:30:00.000Z');
    expect(text(nextPayoutPeriod(28, at('2026-12-28T12:00:00Z')))).toBe('2027-01-27T18:30:00.000Z');
    expect(text(nextPayoutPeriod(28, at('2026-12-27T12:00:00Z')))).toBe('2026-12-27T18:30:00.000Z');
  });

  it('daily, or not at all', () => {
    expect(text(payoutPeriod('daily', at('2026-11-10T18:29:59Z')))).toBe('2026-11-09T18:30:00.000Z');
    expect(text(nextPayoutPeriod('daily', at('2026-11-10T18:29:59Z')))).toBe('2026-11-10T18:30:00.000Z');
    expect(nextPayoutPeriod('never', 0)).toBeNull();
  });
});
