import fc from 'fast-check';
import { expect, test } from 'vitest';
import { offerId, percentage, pointInTime, uuid } from './fields.ts';

test('every percentage with at most two decimals is kept exactly, as text and as a number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), (points) => {
      const text = `${Math.floor(points / 100)}.${String(points % 100).padStart(2, '0')}`;
      expect(percentage.parse(text)).toBe(text);
      expect(percentage.parse(Number(text))).toBe(text);
    }),
  );
});

test.each([
  '-1',
  '+1',
  '1.',
  '.5',
  '1.001',
  '100.01',
  '1e1',
  ' 1',
  '１',
  '',
  'NaN',
  Number.NaN,
  Infinity,
  -0.01,
  0.001,
  1e21,
  null,
  [50],
])('%j is no percentage', (given) => {
  expect(percentage.safeParse(given).success).toBe(false);
});

test('an offer is named by its number or its digits', () => {
  for (const given of [1001, '1001']) expect(offerId.parse(given)).toBe(1001);
  for (const given of [0, -1, 1.5, 2 ** 31, '01', '1.0', '0x10', '', '9999999999', null]) {
    expect(offerId.safeParse(given).success).toBe(false);
  }
});

test('ids are taken in any case and kept in small letters', () => {
  expect(uuid.parse('5EED0000-0000-4000-8000-00000000000A')).toBe('5eed0000-0000-4000-8000-00000000000a');
  for (const given of ['5eed0000', '{5eed0000-0000-4000-8000-00000000000a}', 7])
    expect(uuid.safeParse(given).success).toBe(false);
});

test('a point in time says its offset, and is a day there is', () => {
  expect(pointInTime.parse('2026-10-01T05:30:00+05:30')).toEqual(new Date('2026-10-01T00:00:00Z'));
  for (const given of ['2026-10-01', '2026-10-01T00:00:00', '2026-02-30T00:00:00Z', 'now', 0]) {
    expect(pointInTime.safeParse(given).success).toBe(false);
  }
});
