import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBasisPoints,
  formatPaise,
  lesser,
  parseBasisPoints,
  parseNetworkAmount,
  parsePaise,
  shareOf,
  WHOLE,
} from './money.ts';

const paise = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });

describe('amounts', () => {
  test('are written with two decimals and read back as they were', () => {
    expect([0n, 5n, -5n, 123_450n, -100n].map(formatPaise)).toEqual(['0.00', '0.05', '-0.05', '1234.50', '-1.00']);
    fc.assert(fc.property(paise, (amount) => parsePaise(formatPaise(amount)) === amount));
  });

  test.each(['', '1,000', '1.234', '1e3', '+1', ' 1', '01', '--1', '0x1', 'NaN'])('of our own are never %j', (text) => {
    expect(() => parsePaise(text)).toThrow(RangeError);
  });

  test.each([
    ['0', 0n],
    ['1', 100n],
    ['12.3', 1_230n],
    ['12.345', 1_234n],
    ['0.009999', 0n],
    ['999999999999.99', 99_999_999_999_999n],
  ])('of a network are cut below the paisa: %s', (text, amount) => {
    expect(parseNetworkAmount(text)).toBe(amount);
  });

  test.each([
    '',
    '-1',
    '+1',
    '1.',
    '.5',
    '01',
    '1e2',
    '1,000.00',
    ' 1',
    '1.2345678',
    '{payout}',
    '१२',
    'NaN',
    '1'.repeat(13),
  ])('of a network are nothing when they are no plain decimals: %j', (text) => {
    expect(parseNetworkAmount(text)).toBeNull();
  });

  test('the lesser of two is one of them, and not more than either', () => {
    fc.assert(
      fc.property(paise, paise, (a, b) => {
        const least = lesser(a, b);
        expect([a, b]).toContain(least);
        expect(least <= a && least <= b).toBe(true);
      }),
    );
  });
});

describe('percentages', () => {
  test('are basis points, from 0 to 100 with at most two decimals', () => {
    expect(['0', '12.5', '33.33', '100', '100.00'].map(parseBasisPoints)).toEqual([
      0n,
      1_250n,
      3_333n,
      10_000n,
      10_000n,
    ]);
    expect(formatBasisPoints(3_333n)).toBe('33.33');
  });

  test.each(['', '-1', '100.01', '101', '1.234', '1e1', '05', ' 5'])('are never %j', (text) => {
    expect(() => parseBasisPoints(text)).toThrow(RangeError);
  });

  test('of an amount are cut below the paisa and never more than the whole', () => {
    expect(shareOf(9_259n, 3_333n)).toBe(3_086n);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.bigInt({ min: 0n, max: WHOLE }), (amount, points) => {
        const part = shareOf(amount, points);
        expect(part * WHOLE <= amount * points && (part + 1n) * WHOLE > amount * points).toBe(true);
        expect(part <= amount).toBe(true);
      }),
    );
  });
});
