import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { retryDelay } from './retry.ts';

const HOUR = 3_600;

it('a message waits twice as long after each try, up to an hour, and for days in all (money rule 18)', () => {
  expect([1, 2, 3, 4].map(retryDelay)).toEqual([2, 4, 8, 16]);
  const delays = Array.from({ length: 100 }, (_, index) => retryDelay(index + 1));
  expect(delays.every((delay, index) => delay >= (delays[index - 1] ?? 0) && delay <= HOUR)).toBe(true);
  expect(delays.at(-1)).toBe(HOUR);
  expect(delays.reduce((sum, delay) => sum + delay, 0)).toBeGreaterThan(3 * 24 * HOUR);
});

it('every queue of money has a hundred retries and a dead-letter queue that somebody consumes (money rule 18)', () => {
  const toml = readFileSync(join(import.meta.dirname, 'wrangler.toml'), 'utf8');
  const consumers = toml.split('[[queues.consumers]]').slice(1);
  const settingOf = (block: string, name: string): string | undefined =>
    new RegExp(`^${name} = "?([^"\\n]+)"?$`, 'm').exec(block)?.[1];
  const queues = consumers.map((block) => settingOf(block, 'queue'));
  for (const queue of ['hissaback-postbacks', 'hissaback-clicks']) {
    const block = consumers.find((candidate) => settingOf(candidate, 'queue') === queue) ?? '';
    expect(settingOf(block, 'max_retries'), queue).toBe('100');
    expect(settingOf(block, 'max_batch_size'), queue).toBe('100');
    expect(queues, queue).toContain(settingOf(block, 'dead_letter_queue'));
  }
});
