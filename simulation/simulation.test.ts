import { expect, inject, it } from 'vitest';
import { simulate } from './simulation.ts';

const DAYS = 14;

it.each([1, 2, 5])('model and database agree to the paisa after every commit and every day: seed %i', async (seed) => {
  const result = await simulate(inject('postgres'), { seed, days: DAYS });
  expect(result.days).toBeGreaterThanOrEqual(DAYS);
  expect(result.conversions).toBeGreaterThan(0);
  expect(result.cards).toBeGreaterThan(0);
});

it('a seed plays the same world twice', async () => {
  const play = () => simulate(inject('postgres'), { seed: 4, days: 3 });
  const first = await play();
  expect((await play()).fingerprint).toBe(first.fingerprint);
});
