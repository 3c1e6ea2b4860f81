import { read } from '@hissaback/client';
import { beforeAll, expect, test } from 'vitest';
import { saleOf } from './support/books.ts';
import { type Creator, freshOrder, INSTANT, type Link } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();
let mine: Creator;
let other: Creator;
let theirs: Link;
let theirCampaign: string;
beforeAll(async () => {
  [mine, other] = await Promise.all([on.creator(), on.creator()]);
  theirs = await on.link(other);
  const [link] = await on.sql('select campaign_id from links where link_id = $1', [theirs.link_id]);
  theirCampaign = link?.campaign_id ?? '';
});

/** Everything of one tenant in every table that has tenants. */
async function stateOf(tenantId: string): Promise<unknown> {
  const tables = await on.sql(
    `select distinct c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) =>
      on.sql(`select to_jsonb(t)::text as row from ${name} t where tenant_id = $1 order by 1`, [tenantId]),
    ),
  );
  return rows;
}

test('nothing of another tenant can be read or changed: 403 or 404, and it stays as it was', async () => {
  const { token } = mine;
  const { tenant_id } = other;
  const before = await stateOf(tenant_id);
  const attempts: [method: string, path: string, json?: unknown][] = [
    ['GET', `/v1/tenants/${tenant_id}`],
    ['PATCH', `/v1/tenants/${tenant_id}`, { name: 'Mine now' }],
    ['GET', `/v1/offers?tenant_id=${tenant_id}`],
    ['POST', '/v1/campaigns', { tenant_id, name: 'Mine', share_pct: '50.00' }],
    ['GET', `/v1/campaigns?tenant_id=${tenant_id}`],
    ['GET', `/v1/campaigns/${theirCampaign}`],
    ['PATCH', `/v1/campaigns/${theirCampaign}`, { status: 'paused' }],
    ['POST', '/v1/links', { campaign_id: theirCampaign, offer_id: INSTANT }],
    ['POST', '/v1/links', { tenant_id, campaign_id: theirCampaign, offer_id: INSTANT }],
    ['GET', `/v1/links?tenant_id=${tenant_id}`],
    ['GET', `/v1/links/${theirs.link_id}`],
    ['PATCH', `/v1/links/${theirs.link_id}`, { status: 'paused' }],
    ['GET', `/v1/analytics/creator?tenant_id=${tenant_id}&period=30d`],
    ['GET', `/v1/rewards/user?user_id=${other.user_id}`],
    ['POST', '/v1/auth/switch', { tenant_id }],
  ];
  for (const [method, path, json] of attempts) {
    const answer = await on.call(method, path, { token, json });
    expect([403, 404], `${method} ${path} answered ${answer.status}`).toContain(answer.status);
    expect(answer.text).not.toContain(theirs.smart_link);
  }
  expect(await stateOf(tenant_id)).toEqual(before);
});

test('lists of one’s own hold nothing of another tenant', async () => {
  const { token } = mine;
  await on.link(mine);
  const { campaigns, links, tenants } = on.api(token).v1;
  const lists = [campaigns.$get({ query: {} }), links.$get({ query: {} }), tenants.$get()];
  for (const list of await Promise.all(
    lists.map((answer) => read<{ ok: boolean; json(): Promise<{ tenant_id: string }[]> }>(answer)),
  )) {
    expect(list.length).toBeGreaterThan(0);
    expect(list.every(({ tenant_id }) => tenant_id === mine.tenant_id)).toBe(true);
  }
});

test('a sale counts in its own tenant’s figures only', async () => {
  const order = freshOrder();
  const shopper = await on.logIn();
  await on.buy({
    ...{ p1: await on.clickFor(shopper, theirs), campaign_id: INSTANT, publisher_id: other.publisher_id },
    ...{ sale_amount: '1000.00', txn_id: order },
  });
  await until('the reward', () => saleOf(on, order));
  const seen = ({ token }: Creator) => read(on.api(token).v1.analytics.creator.$get({ query: { period: '30d' } }));
  expect(await until('the figures', async () => (await seen(other)).conversions === 1 && seen(other))).toMatchObject({
    ...{ clicks: 1, conversions: 1, earnings: '45.00', shared: '45.00' },
  });
  expect(await seen(mine)).toMatchObject({ clicks: 0, conversions: 0, earnings: '0.00', shared: '0.00' });
});

test('a shopper has no tenant: what creators may do is forbidden', async () => {
  const { token } = await on.logIn();
  const attempts: [method: string, path: string, json?: unknown][] = [
    ['GET', `/v1/campaigns`],
    ['POST', '/v1/campaigns', { tenant_id: other.tenant_id, name: 'Mine', share_pct: '50.00' }],
    ['GET', '/v1/links'],
    ['GET', '/v1/analytics/creator'],
    ['PATCH', `/v1/tenants/${other.tenant_id}`, { name: 'Mine' }],
    ['POST', '/v1/rewards/payout/run'],
  ];
  for (const [method, path, json] of attempts) {
    expect((await on.call(method, path, { token, json })).status, `${method} ${path}`).toBe(403);
  }
});
