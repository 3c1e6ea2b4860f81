import { expect, test } from 'vitest';
import { fromMinor, toMinor, wireNumber } from './decimal.ts';

test('decimal texts become hundredths and back, anything else nothing', () => {
  expect(['0', '0.05', '12.5', '-3.10', '10000.00'].map(toMinor)).toEqual([0n, 5n, 1250n, -310n, 1_000_000n]);
  expect([0n, 5n, 1250n, -310n].map(fromMinor)).toEqual(['0.00', '0.05', '12.50', '-3.10']);
  expect(['', 'x', '1.005', '1e3', '.5', '1.', ' 1'].map(toMinor)).toEqual(Array(7).fill(undefined));
  expect(wireNumber(29n)).toBe(0.29);
});
