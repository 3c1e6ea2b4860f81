import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { partitions } from './partitions.ts';
import { Stage } from './stage.fake.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(() => stage.reset());
afterAll(() => stage.close());

it('makes the coming months ahead, again and again without harm, and pages for none of it', async () => {
  stage.clock.set(Date.parse('2027-01-05T03:05:00Z'));
  expect(await stage.run(partitions)).toMatchObject({ missing: 0 });
  expect(await stage.run(partitions)).toEqual({ created: 0, missing: 0 });
  expect(await stage.pages()).toEqual([]);
});

it('fault 15: a month that was missing is made, and operators are told', async () => {
  stage.clock.set(Date.parse('2031-12-05T03:05:00Z'));
  const { created, missing } = await stage.run(partitions);
  // December and January: three monthly tables and eight ledger branches each.
  expect(missing).toBe(22);
  expect(created).toBeGreaterThan(22);
  expect((await stage.pages()).map((page) => page.dedup_key)).toEqual(['partitions-missing']);
});
