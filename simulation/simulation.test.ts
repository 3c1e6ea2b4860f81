import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { simulate } from './simulation.ts';

const DAYS = 14;

it.each([1, 2, 5])('model and database agree to the paisa after every commit and every day: seed %i', async (seed) => {
  const result = await simulate(inject('postgres'), { seed, days: DAYS });
  expect(result.days).toBeGreaterThanOrEqual(DAYS);
  expect(result.conversions).toBeGreaterThan(0);
  expect(result.cards).toBeGreaterThan(0);
  // In two of these worlds rewards wait for their shopper a few days only.
  if (seed !== 5) expect(result.expired).toBeGreaterThan(0);
});

it('a seed plays the same world twice', async () => {
  const play = () => simulate(inject('postgres'), { seed: 4, days: 3 });
  const first = await play();
  expect((await play()).fingerprint).toBe(first.fingerprint);
});

it('the model knows no rule of the workers: it imports nothing but itself and the world it is about', () => {
  const folder = join(import.meta.dirname, 'oracle');
  const imported = readdirSync(folder)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/from '([^']+)'/g)].map(([, from]) => from),
    );
  expect(imported.length).toBeGreaterThan(5);
  expect(imported.filter((from) => !from?.startsWith('./') && from !== '../world.ts')).toEqual([]);
});
