import { expect, test } from 'vitest';
import { isLastingFailure, LONGEST_FAILURE_MS, nextAttemptDelay } from './webhook-schedule.ts';

test('a delivery is tried ten times over three days, ever more slowly', () => {
  const delays: number[] = [];
  for (let delay = nextAttemptDelay(1); delay !== null; delay = nextAttemptDelay(delays.length + 1)) delays.push(delay);
  expect(delays).toHaveLength(9);
  expect(delays).toEqual(delays.toSorted((a, b) => a - b));
  expect(delays.reduce((sum, delay) => sum + delay, 0) / 3_600_000).toBeCloseTo(75.6, 1);
});

test('fifty failures in a row are lasting, and so are five over five days', () => {
  expect(isLastingFailure(49, 0, 1000)).toBe(false);
  expect(isLastingFailure(50, 0, 1000)).toBe(true);
  expect(isLastingFailure(5, 0, LONGEST_FAILURE_MS - 1)).toBe(false);
  expect(isLastingFailure(5, 0, LONGEST_FAILURE_MS)).toBe(true);
  expect(isLastingFailure(4, 0, 10 * LONGEST_FAILURE_MS)).toBe(false);
});
