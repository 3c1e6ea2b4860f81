import { clickIdTime } from '../../domain/click-id.ts';
import type { Conversion, LedgerRow, LedgerStatus } from '../../domain/conversion.ts';
import type { Verdict } from '../../domain/fraud.ts';
import { type ClickContext, type EventClick, networkAlias, type Offer } from '../../domain/intake.ts';
import { parseBasisPoints, parsePaise } from '../../domain/money.ts';
import type { NetworkStatus } from '../../domain/postback.ts';
import type { Tx } from '../types.ts';

/**
 * Takes the first locks of a batch: its clicks and visitors, then every conversion its events may touch, each class in key order
 * (money rules 1, 8, 11 and 19).
 */
export async function lockClicks(
  tx: Tx,
  params: { clickIds: readonly bigint[]; visitorIds: readonly string[]; networkIds: readonly string[] },
): Promise<void> {
  const keys = [...params.clickIds.map((id) => `click:${id}`), ...params.visitorIds.map((id) => `visitor:${id}`)];
  await tx.query('select intake_lock($1::text[], $2::bigint[], $3::text[])', [
    keys,
    params.clickIds,
    params.networkIds.map(networkAlias),
  ]);
}

/** Takes the second locks: shoppers (velocity is counted under them) and order ids (one order is credited once). */
export async function lockShoppersAndOrders(tx: Tx, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await tx.query('select intake_lock($1::text[])', [keys]);
}

/** What each click leads to; null where neither a row nor a known link stands behind it. In the order of `clicks`. */
export async function loadClicks(tx: Tx, clicks: readonly EventClick[]): Promise<(ClickContext | null)[]> {
  if (clicks.length === 0) return [];
  type Row = {
    i: number;
    stored: boolean;
    link_id: string | null;
    visitor_id: string | null;
    user_id: string | null;
    country: string | null;
    tenant_id: string | null;
    campaign_id: string | null;
    offer_id: number | null;
    share_pct: string | null;
  };
  const times = clicks.map((click) => new Date(clickIdTime(click.clickId)));
  const { rows } = await tx.query<Row>(
    `select e.i, k.click_id is not null as stored, l.link_id,
            case when e.link_id is null then k.visitor_id else e.visitor_id end as visitor_id,
            coalesce(v.user_id, case when e.link_id is null or (k.link_id = e.link_id and k.visitor_id is not distinct from e.visitor_id)
                                     then k.user_id end) as user_id,
            case when k.link_id = l.link_id then k.country end as country,
            l.tenant_id, l.campaign_id, l.offer_id, c.share_pct
     from unnest($1::int[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::uuid[]) as e(i, click_id, click_time, link_id, visitor_id)
     left join clicks k on k.click_id = e.click_id and k.created_at = e.click_time
       and k.created_at between $6::timestamptz and $7::timestamptz
     left join links l on l.link_id = coalesce(e.link_id, k.link_id)
     left join campaigns c on c.tenant_id = l.tenant_id and c.campaign_id = l.campaign_id
     left join visitors v on v.visitor_id = case when e.link_id is null then k.visitor_id else e.visitor_id end`,
    [
      clicks.map((_, index) => index),
      clicks.map((click) => click.clickId),
      times,
      clicks.map((click) => (click.kind === 'reference' ? click.linkId : null)),
      clicks.map((click) => (click.kind === 'reference' ? click.visitorId : null)),
      new Date(Math.min(...times.map(Number))),
      new Date(Math.max(...times.map(Number))),
    ],
  );
  const found: (ClickContext | null)[] = clicks.map(() => null);
  for (const row of rows) {
    const click = clicks[row.i];
    if (click === undefined || row.link_id === null || row.tenant_id === null || row.campaign_id === null) continue;
    if (row.offer_id === null || row.share_pct === null) continue;
    found[row.i] = {
      clickId: click.clickId,
      linkId: row.link_id,
      visitorId: row.visitor_id,
      userId: row.user_id,
      country: row.country?.trim() ?? null,
      isStored: row.stored,
      tenantId: row.tenant_id,
      campaignId: row.campaign_id,
      offerId: row.offer_id,
      share: parseBasisPoints(row.share_pct),
    };
  }
  return found;
}

/** Which tenant each of these publisher ids belongs to. */
export async function loadPublishers(tx: Tx, publisherIds: readonly string[]): Promise<Map<string, string>> {
  if (publisherIds.length === 0) return new Map();
  const { rows } = await tx.query<{ trackier_pid: string; tenant_id: string }>(
    'select trackier_pid, tenant_id from tenants where trackier_pid = any($1::text[])',
    [publisherIds],
  );
  return new Map(rows.map((row) => [row.trackier_pid, row.tenant_id]));
}

export async function loadOffers(tx: Tx, offerIds: readonly number[]): Promise<Map<number, Offer>> {
  type Row = {
    offer_id: number;
    network: string;
    merchant: string;
    currency: string;
    base_commission_pct: string | null;
    fixed_commission: string | null;
    country_commissions: Offer['countries'];
    cool_off_days: number;
  };
  const { rows } = await tx.query<Row>(
    `select offer_id, network, merchant, currency, base_commission_pct, fixed_commission, country_commissions, cool_off_days
     from offers where offer_id = any($1::int[])`,
    [offerIds],
  );
  return new Map(
    rows.map((row) => [
      row.offer_id,
      {
        offerId: row.offer_id,
        network: row.network,
        merchant: row.merchant,
        currency: row.currency,
        pct: row.base_commission_pct,
        fixed: row.fixed_commission,
        countries: row.country_commissions,
        coolOffDays: row.cool_off_days,
      },
    ]),
  );
}

type ConversionRow = {
  conv_id: bigint;
  tenant_id: string;
  occurred_at: Date;
  click_id: bigint;
  link_id: string;
  visitor_id: string | null;
  user_id: string | null;
  offer_id: number;
  currency: string;
  goal_id: string | null;
  txn_id: string | null;
  network_id: string | null;
  status: NetworkStatus;
  order_value: string | null;
  net_commission: string;
  platform_fee: string;
  amendments: number;
  rounds: number;
  verdict: Verdict | null;
  changed_at: Date;
  expired_to: 'creator' | 'platform' | null;
  ledger: {
    led_id: string;
    seq: number;
    user_amount: string;
    creator_amount: string;
    status: LedgerStatus;
    reason: string | null;
    status_at: string;
    user_pct: string;
    release_at: string;
  }[];
};

const CONVERSION = `
  select i.conv_id, i.tenant_id, i.occurred_at, i.click_id, i.link_id, i.visitor_id, c.user_id, i.offer_id, c.currency, i.goal_id, i.txn_id,
         i.network_id, i.status, i.order_value, i.net_commission, i.platform_fee, i.amendments, i.rounds,
         c.fraud_inputs ->> 'verdict' as verdict, i.changed_at, i.expired_to, g.ledger
  from conversion_identities i
  join conversions c on c.conv_id = i.conv_id and c.created_at = i.occurred_at
  join lateral (
    select json_agg(json_build_object('led_id', l.led_id::text, 'seq', l.seq, 'user_amount', l.user_amount::text,
             'creator_amount', l.creator_amount::text, 'status', l.status, 'reason', l.reason, 'status_at', l.status_at,
             'user_pct', l.user_pct::text, 'release_at', l.release_at) order by l.seq) as ledger
    from ledger l where l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at
  ) g on true`;

/** The conversions of these clicks and network ids, whole. Call it after their locks. */
export async function loadConversions(
  tx: Tx,
  params: { clickIds: readonly bigint[]; networkIds: readonly string[] },
): Promise<Conversion[]> {
  // Mostly there is none: asking the unpartitioned table first spares the plan over every partition.
  const { rows } = await tx.query<{ conv_id: bigint }>(
    `select i.conv_id from conversion_identities i where i.click_id = any($1::bigint[])
     union select a.conv_id from conversion_aliases a where a.alias = any($2::text[])`,
    [params.clickIds, params.networkIds.map(networkAlias)],
  );
  return loadConversionsById(
    tx,
    rows.map((row) => row.conv_id),
  );
}

/** The conversions with these ids, whole. Call it after their locks. */
export async function loadConversionsById(tx: Tx, convIds: readonly bigint[]): Promise<Conversion[]> {
  if (convIds.length === 0) return [];
  const { rows } = await tx.query<ConversionRow>(
    `${CONVERSION} where i.conv_id = any($1::bigint[]) order by i.conv_id`,
    [convIds],
  );
  return rows.map(toConversion);
}

function toConversion(row: ConversionRow): Conversion {
  const [first] = row.ledger;
  if (first === undefined) throw new Error('a conversion without a ledger row');
  const share = parseBasisPoints(first.user_pct);
  return {
    convId: row.conv_id,
    tenantId: row.tenant_id,
    occurredAt: row.occurred_at.getTime(),
    clickId: row.click_id,
    linkId: row.link_id,
    visitorId: row.visitor_id,
    userId: row.user_id,
    offerId: row.offer_id,
    currency: row.currency,
    share: row.expired_to === null ? share : 0n,
    ...(row.expired_to === 'platform' && { forfeited: share }),
    releaseAt: Date.parse(first.release_at),
    goalId: row.goal_id,
    txnId: row.txn_id,
    networkId: row.network_id,
    status: row.status,
    orderValue: row.order_value === null ? null : parsePaise(row.order_value),
    net: parsePaise(row.net_commission),
    fee: parsePaise(row.platform_fee),
    amendments: row.amendments,
    rounds: row.rounds,
    verdict: row.verdict ?? 'clear',
    changedAt: row.changed_at.getTime(),
    ledger: row.ledger.map(
      (item): LedgerRow => ({
        ledId: BigInt(item.led_id),
        seq: item.seq,
        user: parsePaise(item.user_amount),
        creator: parsePaise(item.creator_amount),
        status: item.status,
        reason: item.reason,
        statusAt: Date.parse(item.status_at),
        isNew: false,
        isChanged: false,
      }),
    ),
    isNew: false,
    isChanged: false,
  };
}

/** An order as the 30-day rule knows it (money rule 2). */
export type OrderKey = { network: string; merchant: string; orderId: string };

export function orderKeyText(order: OrderKey): string {
  return `order:${order.network}:${order.merchant}:${order.orderId}`;
}

/** A sale that holds an order id. */
export type OrderHolder = {
  readonly convId: bigint;
  readonly tenantId: string;
  /** The network's time of it, in milliseconds since the Unix epoch. */
  readonly firstSeen: number;
  /** The one that `order_keys` names. */
  readonly isCurrent: boolean;
};

/** What the fraud rules need to know of the shoppers and orders of a batch. */
export type FraudFacts = {
  /** Times of conversions by shopper, or by visitor while the shopper is unknown; milliseconds since the Unix epoch. */
  times: Map<string, number[]>;
  /** `tenant user` of shoppers who are, or share an email address with, one of the tenant's people. */
  ownPeople: Set<string>;
  /** Which sales that count hold an order id, by `orderKeyText`: each a window or more from the others, so mostly one. */
  orders: Map<string, OrderHolder[]>;
  /** The rules in force, by tenant. */
  rules: Map<string, { version: number; rules: unknown }>;
};

/** Loads them; call it after the locks of shoppers and orders. Times in milliseconds since the Unix epoch. */
export async function loadFraudFacts(
  tx: Tx,
  params: {
    userIds: readonly string[];
    visitorIds: readonly string[];
    from: number;
    to: number;
    pairs: readonly { tenantId: string; userId: string }[];
    orders: readonly OrderKey[];
    tenantIds: readonly string[];
  },
): Promise<FraudFacts> {
  type Row = {
    kind: 'time' | 'own' | 'order' | 'past_order' | 'rules';
    key: string;
    at: Date | null;
    conv_id: bigint | null;
    tenant_id: string | null;
    version: number | null;
    rules: unknown;
  };
  const { rows } = await tx.query<Row>(
    `select 'time' as kind, coalesce(c.user_id, c.visitor_id)::text as key, c.created_at as at, null::bigint as conv_id, null::uuid as tenant_id,
            null::int as version, null::jsonb as rules
       from conversions c
       where (c.user_id = any($1::uuid[]) or (c.user_id is null and c.visitor_id = any($2::uuid[])))
         and c.created_at > $3::timestamptz and c.created_at <= $4::timestamptz
     union all
     select 'own', p.tenant_id || ' ' || p.user_id, null, null, null, null, null
       from unnest($5::uuid[], $6::uuid[]) as p(tenant_id, user_id)
       where exists (select 1 from tenant_members m join users mine on mine.user_id = m.user_id join users u on u.user_id = p.user_id
                     where m.tenant_id = p.tenant_id and (m.user_id = p.user_id or lower(mine.email) = lower(u.email)))
     union all
     select 'order', 'order:' || o.network || ':' || o.merchant || ':' || o.order_id, o.first_seen, o.conv_id, o.tenant_id, null, null
       from unnest($7::text[], $8::text[], $9::text[]) as p(network, merchant, order_id)
       join order_keys o on o.network = p.network and o.merchant = p.merchant and o.order_id = p.order_id
     union all
     select 'past_order', 'order:' || o.network || ':' || o.merchant || ':' || o.order_id, o.first_seen, o.conv_id, o.tenant_id, null, null
       from unnest($7::text[], $8::text[], $9::text[]) as p(network, merchant, order_id)
       join order_keys_past o on o.network = p.network and o.merchant = p.merchant and o.order_id = p.order_id
     union all
     select 'rules', f.tenant_id::text, null, null, null, f.version, f.rules
       from (select distinct on (tenant_id) tenant_id, version, rules from fraud_settings where tenant_id = any($10::uuid[])
             order by tenant_id, version desc) f`,
    [
      params.userIds,
      params.visitorIds,
      new Date(params.from),
      new Date(params.to),
      params.pairs.map((pair) => pair.tenantId),
      params.pairs.map((pair) => pair.userId),
      params.orders.map((order) => order.network),
      params.orders.map((order) => order.merchant),
      params.orders.map((order) => order.orderId),
      params.tenantIds,
    ],
  );
  const facts: FraudFacts = { times: new Map(), ownPeople: new Set(), orders: new Map(), rules: new Map() };
  for (const row of rows) {
    if (row.kind === 'time' && row.at !== null)
      facts.times.set(row.key, [...(facts.times.get(row.key) ?? []), row.at.getTime()]);
    else if (row.kind === 'own') facts.ownPeople.add(row.key);
    else if (/order$/.test(row.kind) && row.at !== null && row.conv_id !== null && row.tenant_id !== null) {
      const { conv_id: convId, tenant_id: tenantId } = row;
      const holder = { convId, tenantId, firstSeen: row.at.getTime(), isCurrent: row.kind === 'order' };
      facts.orders.set(row.key, [...(facts.orders.get(row.key) ?? []), holder]);
    } else if (row.kind === 'rules') facts.rules.set(row.key, { version: row.version ?? 0, rules: row.rules });
  }
  return facts;
}

/** The postbacks of a batch that have been taken already, with what became of them. */
export async function loadPostbacks(
  tx: Tx,
  postbackIds: readonly bigint[],
): Promise<Map<bigint, { raw: Record<string, string>; outcome: string }>> {
  const { rows } = await tx.query<{ postback_id: bigint; raw: Record<string, string>; outcome: string }>(
    `select p.postback_id, p.raw, p.outcome from unnest($1::bigint[]) as e(id)
     join postbacks p on p.postback_id = e.id and p.received_at = id_time(e.id)`,
    [postbackIds],
  );
  return new Map(rows.map((row) => [row.postback_id, row]));
}
