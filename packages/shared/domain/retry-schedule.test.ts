import { expect, it } from 'vitest';
import { LAST_ATTEMPT, retryDelay, smsDelay, throttleDelay } from './retry-schedule.ts';

const MINUTE = 60_000;

it('spec section 5: attempts at 0, 3, 8 and 23 minutes, then evenly, the tenth at 6 hours, and no eleventh', () => {
  const times = [0];
  for (let attempt = 1; ; attempt++) {
    const delay = retryDelay(attempt);
    if (delay === null) break;
    expect(Number.isInteger(delay)).toBe(true);
    times.push((times.at(-1) ?? 0) + delay);
  }
  expect(times.slice(0, 4)).toEqual([0, 3 * MINUTE, 8 * MINUTE, 23 * MINUTE]);
  expect(times).toHaveLength(10);
  expect(times[9]).toBe(360 * MINUTE);
  expect(LAST_ATTEMPT).toBe(10);
  expect(retryDelay(4)).toBe(3_370_000);
  expect(retryDelay(0)).toBe(3 * MINUTE);
});

it('a failed SMS is tried again after 1, 5, 15, 30 and then every 60 minutes', () => {
  expect([1, 2, 3, 4, 5, 6, 50].map(smsDelay)).toEqual([1, 5, 15, 30, 60, 60, 60].map((m) => m * MINUTE));
});

it('a throttled call waits 15 to 30 seconds', () => {
  expect([0, 128, 255].map(throttleDelay)).toEqual([15_000, 22_529, 30_000]);
});
