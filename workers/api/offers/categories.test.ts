import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('the categories are those of the offers one can promote now, by name, with their number', async () => {
  const { token } = await on.tenant();
  for (const category of ['shoes', 'hats', 'shoes', null]) await on.offer({ category });
  await on.offer({ category: 'gone', status: 'gone' });
  const answer = await on.call('GET', '/v1/offers/categories', { token });
  expect(answer).toMatchObject({
    status: 200,
    json: [
      { category: 'hats', offers: 1 },
      { category: 'shoes', offers: 2 },
    ],
  });
});

test('another tenant is refused', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const path = `/v1/offers/categories?tenant_id=${other.tenant_id}`;
  expect((await on.call('GET', path, { token: mine.token })).status).toBe(403);
  expect((await on.call('GET', '/v1/offers/categories?tenant_id=x', { token: mine.token })).status).toBe(422);
});
