import { describe, expect, it } from 'vitest';
import { indianDay, lastDayOfMonth, monthBounds, parseHours, withinHours } from './india-time.ts';

const at = (text: string) => Date.parse(text);
const iso = (time: number) => new Date(time).toISOString();

describe('months and days are India’s', () => {
  it('a month begins at midnight in India', () => {
    const bounds = monthBounds('2026-12');
    expect([iso(bounds?.from ?? 0), iso(bounds?.to ?? 0)]).toEqual([
      '2026-11-30T18:30:00.000Z',
      '2026-12-31T18:30:00.000Z',
    ]);
  });

  it.each(['2026-13', '2026-1', '1999-01', 'x'])('%s is no month', (month) => expect(monthBounds(month)).toBeNull());

  it('the first of the month begins when it does in India', () => {
    expect(iso(lastDayOfMonth(1, at('2026-11-30T18:29:59Z')))).toBe('2026-10-31T18:30:00.000Z');
    expect(iso(lastDayOfMonth(1, at('2026-11-30T18:30:00Z')))).toBe('2026-11-30T18:30:00.000Z');
    expect(iso(lastDayOfMonth(15, at('2027-01-10T00:00:00Z')))).toBe('2026-12-14T18:30:00.000Z');
    expect(indianDay(at('2026-11-30T18:30:00Z'))).toBe('2026-12-01');
  });
});

describe('quiet hours', () => {
  const hours = parseHours('9-21');
  it.each([
    ['2026-11-10T03:29:00Z', '2026-11-10T03:30:00.000Z', 'before nine it waits for nine'],
    ['2026-11-10T03:30:00Z', '2026-11-10T03:30:00.000Z', 'at nine it goes'],
    ['2026-11-10T15:29:59Z', '2026-11-10T15:29:59.000Z', 'before twenty-one it goes'],
    ['2026-11-10T15:30:00Z', '2026-11-11T03:30:00.000Z', 'from twenty-one on it waits for the morning'],
  ])('%s -> %s: %s', (from, to) => expect(iso(withinHours(hours, at(from)))).toBe(to));

  it.each(['21-9', '9', '9-25', '', 'a-b'])('%j are no hours', (text) => expect(() => parseHours(text)).toThrow());
});
