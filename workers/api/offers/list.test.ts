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
      creator_pct: '4.13',
      shopper_fixed: null,
      creator_fixed: null,
      cool_off_days: 30,
      preview_url: null,
    },
    expect.objectContaining({
      ...{ offer_id: fixed, commission_pct: null, fixed_commission: '60.00', shopper_pct: null },
      ...{ shopper_fixed: '30.00', creator_fixed: '30.00' },
    }),
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

test('brand and title are searched, in whatever capitals', async () => {
  const { token } = await on.tenant();
  const offer_id = await on.offer({ brand: 'Zari', title: 'Zari Sarees' });
  await on.offer({ brand: '100%', title: 'Nothing' });
  const found = async (q: string) =>
    (await on.call('GET', `/v1/offers?q=${q}`, { token })).json.map((row: { offer_id: number }) => row.offer_id);
  expect(await found('sAREE')).toEqual([offer_id]);
  expect(await found('%25_%25')).toEqual([]);
});

test("a campaign's share, a country's commission and the platform's fee decide what is shown", async () => {
  const { token, tenant_id } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id, { share_pct: '25.00' });
  await on.offer({ category: 'abroad', country_commissions: JSON.stringify({ AE: { pct: '12.00' } }) });
  on.env.PLATFORM_FEE_BP = '1000';
  const shown = async (query: string) =>
    (await on.call('GET', `/v1/offers?category=abroad${query}`, { token })).json[0];
  const plain = await shown('');
  const abroad = await shown(`&country=AE&campaign_id=${campaign_id}`);
  on.env.PLATFORM_FEE_BP = '0';
  expect(plain).toMatchObject({ commission_pct: '8.00', shopper_pct: '3.60', creator_pct: '3.60' });
  expect(abroad).toMatchObject({ commission_pct: '12.00', shopper_pct: '2.70', creator_pct: '8.10' });
  const other = await on.campaign((await on.tenant()).tenant_id);
  expect((await on.call('GET', `/v1/offers?campaign_id=${other}`, { token })).status).toBe(404);
});

test('a widget lists the offers of its tenant; nobody names another one', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const widget = await on.token({ sub: on.uuid(), role: 'widget', tenantId: mine.tenant_id });
  expect((await on.call('GET', '/v1/offers', { token: widget })).status).toBe(200);
  for (const token of [widget, mine.token]) {
    expect((await on.call('GET', `/v1/offers?tenant_id=${other.tenant_id}&limit=0`, { token })).status).toBe(403);
  }
});

test.each([
  'country=india',
  'q=',
  'limit=0',
  'limit=101',
  'limit=x',
  'cursor=nonsense',
  'tenant_id=x',
  'limit=1&limit=2',
])('%s is 422', async (query) => {
  const { token } = await on.tenant();
  expect((await on.call('GET', `/v1/offers?${query}`, { token })).status).toBe(422);
});
