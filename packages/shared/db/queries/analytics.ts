import type { BreakdownBy } from '../../contracts/analytics.ts';
import type { Tx } from '../types.ts';

export type CreatorTotals = {
  clicks: bigint;
  conversions: bigint;
  /** NUMERIC text by currency: the creator's side and the shoppers', neither rejected nor reversed. */
  amounts: { currency: string; earnings: string; shared: string }[];
};

/**
 * A tenant's numbers since the midnight (UTC) that `since` names, YYYY-MM-DD: clicks and conversions from the rollups, money from the ledger by the
 * conversion's time, so that both count the same days. The tenant and the time prune the ledger to a few leaves.
 */
export async function creatorTotals(tx: Tx, params: { tenant_id: string; since: string }): Promise<CreatorTotals> {
  const { rows } = await tx.query<CreatorTotals>(
    `with traffic as (
       select coalesce(sum(clicks), 0)::bigint as clicks, coalesce(sum(conversions), 0)::bigint as conversions
       from daily_rollups where tenant_id = $1 and day >= $2::date
     ), money as (
       select currency, sum(creator_amount) as earnings, sum(user_amount) as shared
       from ledger where tenant_id = $1 and created_at >= $2::date::timestamptz and status not in ('rejected', 'reversed')
       group by currency
     )
     select clicks, conversions, coalesce((select jsonb_agg(jsonb_build_object('currency', currency, 'earnings', earnings::text,
       'shared', shared::text) order by currency) from money), '[]') as amounts from traffic`,
    [params.tenant_id, params.since],
  );
  const [totals] = rows;
  if (totals === undefined) throw new Error('an aggregate without a row');
  return totals;
}

/** What a report counts. `from` is within and `to` beyond. */
export type Report = {
  tenant_id: string;
  from: Date;
  to: Date;
  currency: string;
  link_id?: string | undefined;
  campaign_id?: string | undefined;
  offer_id?: number | undefined;
};

export type Figures = {
  clicks: bigint;
  unique_clicks: bigint;
  conversions: bigint;
  /** NUMERIC text. */
  order_value: string;
  earnings: string;
  shared: string;
};

// $1 tenant, $2 from, $3 to, $4 currency, $5 link, $6 campaign, $7 offer. Clicks are found by their links, whose index leads to a few pages of
// each month; a conversion's own click says where its visitor came from.
const REPORTED = `
  chosen as materialized (
    select link_id from links where tenant_id = $1 and ($5::uuid is null or link_id = $5) and ($6::uuid is null or campaign_id = $6)
      and ($7::int is null or offer_id = $7)
  ),
  hits as (
    select k.link_id, k.created_at, k.country, k.device, k.referrer_host, k.sub_id, coalesce(k.visitor_id::text, k.click_id::text) as visitor
    from clicks k where k.tenant_id = $1 and k.link_id in (select link_id from chosen) and k.created_at >= $2 and k.created_at < $3
  ),
  sales as (
    select c.conv_id, c.created_at, c.link_id, c.click_id, case when c.currency = $4 then c.order_value else 0 end as order_value
    from conversions c where c.tenant_id = $1 and c.link_id in (select link_id from chosen) and c.created_at >= $2 and c.created_at < $3
  ),
  rewards as (
    select l.conv_id, l.created_at, sum(l.creator_amount) as earnings, sum(l.user_amount) as shared
    from ledger l
    where l.tenant_id = $1 and l.created_at >= $2 and l.created_at < $3 and l.currency = $4 and l.status not in ('rejected', 'reversed')
    group by l.conv_id, l.created_at
  ),
  earned as (
    select s.*, r.earnings, r.shared from sales s left join rewards r on r.conv_id = s.conv_id and r.created_at = s.created_at
  )`;

const FIGURES = `coalesce(h.clicks, 0) as clicks, coalesce(h.unique_clicks, 0) as unique_clicks, coalesce(e.conversions, 0) as conversions,
  coalesce(e.order_value, 0)::numeric(16,2) as order_value, coalesce(e.earnings, 0)::numeric(16,2) as earnings,
  coalesce(e.shared, 0)::numeric(16,2) as shared`;
const COUNTED = 'count(*) as clicks, count(distinct visitor) as unique_clicks';
const SUMMED =
  'count(*) as conversions, sum(order_value) as order_value, sum(earnings) as earnings, sum(shared) as shared';

function reportParams(report: Report): unknown[] {
  const { tenant_id, from, to, currency, link_id, campaign_id, offer_id } = report;
  return [tenant_id, from, to, currency, link_id ?? null, campaign_id ?? null, offer_id ?? null];
}

/** The midnight that began the day of `at` in the time zone, `days` days earlier. Throws SQLSTATE 22023 for a zone PostgreSQL does not know. */
export async function midnight(tx: Tx, params: { at: Date; days: number; time_zone: string }): Promise<Date> {
  const { rows } = await tx.query<{ midnight: Date }>(
    `select (date_trunc('day', $1::timestamptz at time zone $3) - $2::int * interval '1 day') at time zone $3 as midnight`,
    [params.at, params.days, params.time_zone],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a time without a row');
  return row.midnight;
}

/**
 * The figures of each hour or day of the time zone that has any, and those of the whole (`start` null): unique clicks of the whole are not the sum.
 * Throws SQLSTATE 22023 for a zone PostgreSQL does not know.
 */
export async function timeSeries(
  tx: Tx,
  report: Report & { interval: 'hour' | 'day'; time_zone: string },
): Promise<(Figures & { start: Date | null })[]> {
  const { rows } = await tx.query<Figures & { start: Date | null }>(
    `with ${REPORTED},
     h as (
       select start, ${COUNTED} from (select date_trunc($8, created_at, $9) as start, visitor from hits) x
       group by grouping sets ((start), ())
     ),
     e as (
       select start, ${SUMMED} from (select date_trunc($8, created_at, $9) as start, order_value, earnings, shared from earned) x
       group by grouping sets ((start), ())
     )
     select coalesce(h.start, e.start) as start, ${FIGURES}
     from h full join e on coalesce(h.start, 'infinity') = coalesce(e.start, 'infinity') order by start`,
    [...reportParams(report), report.interval, report.time_zone],
  );
  return rows;
}

/** The beginnings of the hours or days of a range, in the time zone. */
export async function bucketsOf(
  tx: Tx,
  params: { from: Date; to: Date; interval: 'hour' | 'day'; time_zone: string },
): Promise<Date[]> {
  const { rows } = await tx.query<{ start: Date }>(
    params.interval === 'hour'
      ? // Half an hour at a time: there are zones whose summer begins by half an hour.
        `select distinct date_trunc('hour', t, $3) as start
         from generate_series(date_trunc('hour', $1::timestamptz, $3), $2::timestamptz - interval '1 microsecond', interval '30 minutes') as t
         order by 1`
      : `select d at time zone $3 as start from generate_series(date_trunc('day', $1::timestamptz at time zone $3),
           ($2::timestamptz - interval '1 microsecond') at time zone $3, interval '1 day') as d`,
    [params.from, params.to, params.time_zone],
  );
  return rows.map((row) => row.start);
}

// What a click and a sale are grouped by (h: hits with their link; e: earned with their link and click), and the name of it.
const DIMENSIONS: Readonly<Record<BreakdownBy, { hit: string; sale: string; label: string }>> = {
  link: {
    hit: 'l.link_id::text',
    sale: 'l.link_id::text',
    label: 'select slug::text from links where tenant_id = $1 and link_id::text = f.key',
  },
  campaign: {
    hit: 'l.campaign_id::text',
    sale: 'l.campaign_id::text',
    label: 'select name::text from campaigns where tenant_id = $1 and campaign_id::text = f.key',
  },
  offer: {
    hit: 'l.offer_id::text',
    sale: 'l.offer_id::text',
    label: 'select brand::text from offers where offer_id::text = f.key',
  },
  country: { hit: 'x.country::text', sale: 'k.country::text', label: 'select f.key' },
  device: { hit: 'x.device', sale: 'k.device', label: 'select f.key' },
  referrer: { hit: 'x.referrer_host::text', sale: 'k.referrer_host::text', label: 'select f.key' },
  sub_id: { hit: 'x.sub_id::text', sale: 'k.sub_id::text', label: 'select f.key' },
};

/** The figures by link, campaign, offer, country, device, referring host or sub-id, strongest first; a null key is what has none. */
export async function breakdown(
  tx: Tx,
  report: Report & { by: BreakdownBy; limit: number },
): Promise<(Figures & { key: string | null; label: string | null })[]> {
  const { hit, sale, label } = DIMENSIONS[report.by];
  const { rows } = await tx.query<Figures & { key: string | null; label: string | null }>(
    `with ${REPORTED},
     h as (select ${hit} as key, ${COUNTED} from hits x join links l on l.tenant_id = $1 and l.link_id = x.link_id group by 1),
     e as (
       select ${sale} as key, ${SUMMED} from earned x join links l on l.tenant_id = $1 and l.link_id = x.link_id
       left join clicks k on k.tenant_id = $1 and k.click_id = x.click_id and k.created_at = id_time(x.click_id)
       group by 1
     ),
     f as (
       -- No key has a character that text cannot: a null key meets a null key.
       select coalesce(h.key, e.key) as key, ${FIGURES}
       from h full join e on coalesce(h.key, E'\\x01') = coalesce(e.key, E'\\x01')
       order by 2 desc, 4 desc, 1 limit $8
     )
     select f.*, (${label}) as label from f order by f.clicks desc, f.conversions desc, f.key`,
    [...reportParams(report), report.limit],
  );
  return rows;
}
