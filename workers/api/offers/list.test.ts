import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('the offers are a bare array with the commission and what a shopper gets of it', async () => {
  const { tenant_id, token } = await on.tenant();
  const category = 'shoes';
  const cps = await on.offer({ offer_id: 11, category, base_commission_pct: '8.25' });
  const fixed = await on.offer({
    offer_id: 12,
    category,
    model: 'cpa',
    base_commission_pct: null,
    fixed_commission: '60.00',
  });
  await on.offer({ offer_id: 13, category, status: 'gone' });
  await on.offer({ offer_id: 14, category: 'hats' });
  const answer = await on.call('GET', `/v1/offers?tenant_id=${tenant_id}&category=${category}`, { token });
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual([
    {
      offer_id: cps,
      brand: 'Nila',
      title: 'Nila Fashion',
      category,
      model: 'cps',
      currency: 'INR',
      commission_pct: '8.25',
      fixed_commission: null,
      shopper_pct: '4.12',
      preview_url: null,
    },
    expect.objectContaining({ offer_id: fixed, commission_pct: null, fixed_commission: '60.00', shopper_pct: null }),
  ]);
});

test('an empty category is none, and the Link header leads through all offers once', async () => {
  const { token } = await on.tenant();
  for (let id = 101; id <= 105; id++) await on.offer({ offer_id: id });
  const expected = (
    await on.sql<{ offer_id: number }>("select offer_id from offers where status = 'active' order by 1")
  ).map((row) => row.offer_id);
  const seen: number[] = [];
  let path: string | undefined = '/v1/offers?category=&limit=2';
  while (path) {
    const answer = await on.call('GET', path, { token });
    expect(answer.json.length).toBeLessThanOrEqual(2);
    seen.push(...answer.json.map((offer: { offer_id: number }) => offer.offer_id));
    path = /^<https:\/\/[^/]+([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(seen).toEqual(expected);
});

test('a widget lists the offers of its tenant; nobody names another one', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const widget = await on.token({ sub: on.uuid(), role: 'widget', tenantId: mine.tenant_id });
  expect((await on.call('GET', '/v1/offers', { token: widget })).status).toBe(200);
  for (const token of [widget, mine.token]) {
    expect((await on.call('GET', `/v1/offers?tenant_id=${other.tenant_id}&limit=0`, { token })).status).toBe(403);
  }
});

test.each(['limit=0', 'limit=101', 'limit=x', 'cursor=nonsense', 'tenant_id=x', 'limit=1&limit=2'])(
  '%s is 422',
  async (query) => {
    const { token } = await on.tenant();
    expect((await on.call('GET', `/v1/offers?${query}`, { token })).status).toBe(422);
  },
);
