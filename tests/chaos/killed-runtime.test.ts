import { expect, test } from 'vitest';
import { chaos } from './support/chaos.ts';

test('the runtime is killed three times over twelve payouts: cards, payouts, messages and journal agree card by card', async () => {
  const plan = { payouts: 12, kills: 3, everythingEvery: 0, longestLife: 1_200 };
  expect(await chaos(plan)).toEqual([]);
});
