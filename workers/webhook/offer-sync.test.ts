import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { post } from '../../sandbox/kit/testing.ts';
import { API_KEY, startForTest } from '../../sandbox/trackier/testing.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { syncOffers } from './offer-sync.ts';
import { stage } from './stage.fake.ts';
import { type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await stage(database);
  at = worker(database, on);
});
afterEach(() => on.end());

/** The stand-in for the network, which the worker asks as it would the real one. */
async function network(options: Parameters<typeof startForTest>[0] = {}) {
  const { url } = await startForTest(options);
  const asked: URL[] = [];
  at.state.network = async (text) => {
    asked.push(new URL(text));
    return fetch(text, { headers: { 'x-api-key': API_KEY } });
  };
  at.env.TRACKIER_ENDPOINT = url;
  return {
    asked,
    campaigns: (update: { upsert?: unknown[]; remove?: number[] }) => post(`${url}/__control/campaigns`, update),
    fault: (fault: Record<string, unknown>) => post(`${url}/__control/faults`, { endpoint: 'campaigns', ...fault }),
    sync: () => syncOffers(on.db, at.env, at.deps),
  };
}
type Network = Awaited<ReturnType<typeof network>>;

const id = (n: number): number => 500_000_000 + on.offerId * 10 + n;
const campaign = (n: number, say: Record<string, unknown> = {}) => ({
  id: id(n),
  title: `Shop ${n}`,
  payouts: [{ payout: 8, geo: ['ALL'] }],
  ...say,
});
const offer = async (n: number) =>
  (
    await on.rows(
      `select brand, model, currency, base_commission_pct, fixed_commission, country_commissions, status, cool_off_days from offers where offer_id = $1`,
      [id(n)],
    )
  )[0];

describe('a sync of offers', () => {
  it('reads percentages for cps, amounts for the others, payouts by country, and a currency of null as USD (money rule 6)', async () => {
    const net = await network();
    await net.campaigns({
      upsert: [
        campaign(1, {
          payouts: [
            { payout: 7.5, geo: ['ALL'] },
            { payout: 9, geo: ['AE', 'SG'] },
          ],
        }),
        campaign(2, { model: 'cpa', payouts: [{ payout: 60, fixedPayout: 60.5 }], currency: null }),
        campaign(3, { payouts: [{ payout: 4, geo: ['IN'] }] }),
        campaign(4, { payouts: [{ payout: 120, geo: ['ALL'] }] }),
        campaign(5, { approved: false }),
      ],
    });
    await net.sync();
    expect(await offer(1)).toMatchObject({
      model: 'cps',
      currency: 'INR',
      base_commission_pct: '7.50',
      fixed_commission: null,
      country_commissions: { AE: { pct: '9.00' }, SG: { pct: '9.00' } },
    });
    expect(await offer(2)).toMatchObject({ currency: 'USD', base_commission_pct: null, fixed_commission: '60.50' });
    expect(await offer(3)).toMatchObject({ base_commission_pct: '0.00', country_commissions: { IN: { pct: '4.00' } } });
    expect(await offer(4)).toBeUndefined();
    expect(await offer(5)).toBeUndefined();
  });

  it('takes what changed at the network, and never our own cool-off', async () => {
    const net = await network();
    await net.campaigns({ upsert: [campaign(1)] });
    await net.sync();
    await on.rows('update offers set cool_off_days = 45 where offer_id = $1', [id(1)]);
    await net.campaigns({ upsert: [campaign(1, { title: 'Shop 1 renamed', payouts: [{ payout: 3, geo: ['ALL'] }] })] });
    await net.sync();
    expect(await offer(1)).toMatchObject({ brand: 'Shop 1 renamed', base_commission_pct: '3.00', cool_off_days: 45 });
  });

  it('lets links to an offer that disappeared rest, tells their creators once, and again when it is back', async () => {
    const net = await network();
    await net.campaigns({ upsert: [campaign(1), campaign(2)] });
    await net.sync();
    const linked = async (status: string) =>
      on.rows(
        `insert into links (link_id, tenant_id, campaign_id, offer_id, slug, status, created_at)
         values (gen_random_uuid(), $1, $2, $3, $4, $5, now())`,
        [on.tenantId, on.campaignId, id(1), `${status}-${on.offerId}`, status],
      );
    await linked('active');
    await linked('archived');
    const version = async () =>
      (await on.rows<{ version: string }>('select version from links where slug = $1', [`active-${on.offerId}`]))[0]
        ?.version;
    const before = await version();
    const notices = () =>
      on.rows(`select kind, offer_id, details from notices where tenant_id = $1 and offer_id = $2 order by notice_id`, [
        on.tenantId,
        id(1),
      ]);
    await net.campaigns({ remove: [id(1)] });
    expect(await net.sync()).toMatchObject({ notices: 1 });
    expect(await offer(1)).toMatchObject({ status: 'gone' });
    // A new version is what the redirect's copy follows: it shows the link as resting.
    expect(await version()).toBe(String(BigInt(before ?? 0) + 1n));
    expect(
      await on.rows('select offer_status from links_to_publish(1000) where slug = $1', [`active-${on.offerId}`]),
    ).toEqual([{ offer_status: 'gone' }]);
    await net.sync();
    expect(await notices()).toEqual([{ kind: 'offer_gone', offer_id: id(1), details: { links: 1 } }]);
    await net.campaigns({ upsert: [campaign(1)] });
    await net.sync();
    expect(await offer(1)).toMatchObject({ status: 'active' });
    expect((await notices()).map((row) => (row as { kind: string }).kind)).toEqual(['offer_gone', 'offer_back']);
  });

  it('of several runs at once tells creators once that an offer is gone or back (fault 34)', async () => {
    const net = await network();
    await net.campaigns({ upsert: [campaign(1), campaign(2)] });
    await net.sync();
    await on.rows(
      `insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at) values (gen_random_uuid(), $1, $2, $3, $4, now())`,
      [on.tenantId, on.campaignId, id(1), `twice-${on.offerId}`],
    );
    // All have their lists before any puts its own in place.
    const atOnce = async () => {
      const dbs = Array.from({ length: 4 }, () => on.worker());
      const counts = await Promise.all(dbs.map((db) => syncOffers(db, at.env, at.deps)));
      await Promise.all(dbs.map((db) => db.end()));
      return counts.reduce((sum, count) => sum + (count.notices ?? 0), 0);
    };
    for (let round = 0; round < 5; round++) {
      await net.campaigns({ remove: [id(1)] });
      expect(await atOnce()).toBe(1);
      await net.campaigns({ upsert: [campaign(1)] });
      expect(await atOnce()).toBe(1);
    }
  });

  it('leaves an offer as it is whose row cannot be read, and takes one without a tracking link for gone', async () => {
    const net = await network();
    await net.campaigns({ upsert: [campaign(1), campaign(2), campaign(3), campaign(4)] });
    await net.sync();
    const rows = (await (await at.state.network(`${at.env.TRACKIER_ENDPOINT}/v2/publisher/campaigns`)).json()) as {
      data: { campaigns: Record<string, unknown>[] };
    };
    const odd: Record<number, unknown> = {
      [id(1)]: { payouts: 'soon' },
      [id(2)]: { payouts: [{ payout: 120, geo: ['ALL'] }] },
      [id(3)]: { tracking_link: '' },
    };
    for (const row of rows.data.campaigns) Object.assign(row, odd[Number(row.id)]);
    rows.data.campaigns.push({ id: 'no number' }, { nothing: true });
    Object.assign(rows.data, { count: rows.data.campaigns.length });
    at.state.network = async () => Response.json(rows);
    expect(await net.sync()).toMatchObject({ gone: 1, unreadable: 5, duplicates: 0 });
    expect(await offer(1)).toMatchObject({ status: 'active', base_commission_pct: '8.00' });
    expect(await offer(2)).toMatchObject({ status: 'active', base_commission_pct: '8.00' });
    expect(await offer(3)).toMatchObject({ status: 'gone' });
    expect(await offer(4)).toMatchObject({ status: 'active' });
  });

  it('takes nothing for gone where a row stands on two pages: the list moved while it was read', async () => {
    const net = await network();
    await net.campaigns({ upsert: [campaign(1), campaign(2)] });
    await net.sync();
    const answer = await at.state.network(`${at.env.TRACKIER_ENDPOINT}/v2/publisher/campaigns`);
    const list = (await answer.json()) as { data: { campaigns: { id: number }[]; count: number } };
    list.data.campaigns = list.data.campaigns.map((row) => (row.id === id(2) ? { ...row, id: id(1) } : row));
    at.state.network = async () => Response.json(list);
    expect(await net.sync()).toMatchObject({ gone: 0, duplicates: 1 });
    expect(await offer(2)).toMatchObject({ status: 'active' });
    list.data.campaigns = list.data.campaigns.filter(
      (row, index, all) => all.findIndex(({ id }) => id === row.id) === index,
    );
    list.data.count = list.data.campaigns.length;
    await net.sync();
    expect(await offer(2)).toMatchObject({ status: 'gone' });
  });

  describe('of several pages', () => {
    const MANY = 2_100;
    async function many(): Promise<Network> {
      const net = await network();
      for (let from = 0; from < MANY; from += 700)
        await net.campaigns({
          upsert: Array.from({ length: 700 }, (_, index) => ({ ...campaign(0), id: 1_000_000_000 + from + index })),
        });
      return net;
    }
    const synced = async (): Promise<number> =>
      (await on.rows('select 1 from offers where offer_id >= 1000000000 and status = $1', ['active'])).length;

    it('takes every page, and after a run that died goes on at the page where it stood; until then nothing changes', async () => {
      const net = await many();
      const page = (url: URL | undefined) => url?.searchParams.get('page');
      await net.fault({ kind: 'error', status: 403 });
      await expect(net.sync()).rejects.toMatchObject({ status: 403 });
      expect(await synced()).toBe(0);
      // The second page breaks for good: the first is kept, but nothing is in place.
      at.state.network = async (text) => {
        net.asked.push(new URL(text));
        if (page(new URL(text)) === '2') return new Response('no', { status: 403 });
        return fetch(text, { headers: { 'x-api-key': API_KEY } });
      };
      await expect(net.sync()).rejects.toMatchObject({ status: 403 });
      expect(await synced()).toBe(0);
      at.state.network = async (text) => {
        net.asked.push(new URL(text));
        return fetch(text, { headers: { 'x-api-key': API_KEY } });
      };
      net.asked.length = 0;
      await net.sync();
      expect(net.asked.map(page)).toEqual(['2', '3']);
      expect(await synced()).toBe(MANY);
      expect(await on.rows('select 1 from offer_sync_pages')).toEqual([]);
    });

    it('begins anew when the list changed in between or what was kept is old', async () => {
      const net = await many();
      const first = async () => {
        at.state.network = async (text) => {
          const url = new URL(text);
          if (url.searchParams.get('page') === '2') return new Response('no', { status: 403 });
          return fetch(text, { headers: { 'x-api-key': API_KEY } });
        };
        await net.sync().catch(() => undefined);
        net.asked.length = 0;
        at.state.network = async (text) => {
          net.asked.push(new URL(text));
          return fetch(text, { headers: { 'x-api-key': API_KEY } });
        };
      };
      await first();
      await net.campaigns({ upsert: [campaign(9)] });
      await expect(net.sync()).rejects.toThrow('changed while it was read');
      await net.sync();
      expect(net.asked.map((url) => url.searchParams.get('page'))).toEqual(['2', '1', '2', '3']);
      await first();
      on.clock.advance(31 * 60_000);
      await net.sync();
      expect(net.asked.map((url) => url.searchParams.get('page'))).toEqual(['1', '2', '3']);
    });
  });

  it.each([
    ['an error page', { kind: 'http-500' }],
    ['half an answer', { kind: 'truncate' }],
    ['a limit of calls', { kind: 'rate-limit' }],
  ])('survives %s by asking again', async (_, fault) => {
    const net = await network();
    await net.campaigns({ upsert: [campaign(1)] });
    await net.fault(fault);
    await net.sync();
    expect(await offer(1)).toMatchObject({ status: 'active' });
    expect(net.asked).toHaveLength(2);
  });

  it('changes nothing when the list is empty or is an error under 200', async () => {
    const net = await network();
    await net.campaigns({ upsert: [campaign(1)] });
    await net.sync();
    at.state.network = async () => Response.json({ success: true, data: { campaigns: [], page: 1, count: 0 } });
    await expect(net.sync()).rejects.toThrow('no campaign');
    at.state.network = async () => Response.json({ success: false, errors: [{ statusCode: 400 }] });
    await expect(net.sync()).rejects.toThrow('answered 200');
    // A list without an end, or one that ends too early, is no list; nothing of it is kept for the next run.
    const full = (await (
      await fetch(`${at.env.TRACKIER_ENDPOINT}/v2/publisher/campaigns`, { headers: { 'x-api-key': API_KEY } })
    ).json()) as { data: { count: number } };
    full.data.count = 1_000_000_000;
    at.state.network = async () => Response.json(full);
    await expect(net.sync()).rejects.toThrow('more than 100000 campaigns');
    expect(await on.rows('select 1 from offer_sync_pages')).toEqual([]);
    const empty = { success: true, data: { campaigns: [], page: 2, count: 1_000_000_000 } };
    at.state.network = async (text) => Response.json(new URL(text).searchParams.get('page') === '1' ? full : empty);
    await expect(net.sync()).rejects.toThrow('the list ended after');
    expect(await on.rows('select 1 from offer_sync_pages')).toEqual([]);
    expect(await offer(1)).toMatchObject({ status: 'active' });
  });
});
