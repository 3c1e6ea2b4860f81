import { expect, test } from 'vitest';
import { chaos } from './support/chaos.ts';

test('the runtime is killed over twelve payouts, then the database is restored to before the last ones (fault 49): cards, payouts, messages and journal agree card by card, and no code was written anywhere', async () => {
  const plan = { payouts: 12, kills: 2, everythingEvery: 0, longestLife: 1_200, restore: true };
  expect(await chaos(plan)).toEqual([]);
});
