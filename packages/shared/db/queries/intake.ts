import { clickIdTime } from '../../domain/click-id.ts';
import type { Conversion, LedgerRow, LedgerStatus } from '../../domain/conversion.ts';
import type { Verdict } from '../../domain/fraud.ts';
import { type ClickContext, type EventClick, networkAlias, type Offer } from '../../domain/intake.ts';
import { parseBasisPoints, parsePaise } from '../../domain/money.ts';
import type { NetworkStatus } from '../../domain/postback.ts';
import type { Tx } from '../types.ts';

/**
 * Takes the first locks of one who changes conversions: their clicks and visitors, then every conversion its events may touch, each class in key order
 * (money rules 1, 8, 11 and 19).
 */
export async function lockClicks(
  tx: Tx,
  params: { clickIds: readonly bigint[]; visitorIds: readonly string[]; networkIds: readonly string[] },
): Promise<void> {
  await tx.query('select intake_lock($1::text[], $2::bigint[], $3::text[])', [
    lockKeys(params.clickIds, params.visitorIds),
    params.clickIds,
    params.networkIds.map(networkAlias),
  ]);
}

/** Deletes rows to lock that nobody holds, at most `limit`; answers how many. `intake_lock` makes a row again that went under its hands. */
export async function deleteFreeLocks(tx: Tx, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    'delete from intake_locks where lock_key in (select lock_key from intake_locks limit $1 for update skip locked)',
    [limit],
  );
  return rowCount;
}

function lockKeys(clickIds: readonly bigint[], visitorIds: readonly string[]): string[] {
  return [...clickIds.map((id) => `click:${id}`), ...visitorIds.map((id) => `visitor:${id}`)];
}

/** What a batch must know before it asks who buys: what was taken already, what its clicks lead to, which conversions, offers and publishers it names. */
export type IntakeLookups = {
  /** What became of the postbacks that have been taken already. */
  taken: Map<bigint, string>;
  /** What each click leads to, in the order of those asked for; null where neither a row nor a known link stands behind it. */
  clicks: (ClickContext | null)[];
  /** The conversions of the clicks and network ids asked for. */
  convIds: bigint[];
  offers: Map<number, Offer>;
  /** Which tenant a publisher id belongs to. */
  publishers: Map<string, string>;
};

type ClickRow = {
  /** From 1. */
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

const OFFER_COLUMNS =
  'offer_id, network, merchant, currency, base_commission_pct::text, fixed_commission::text, country_commissions, cool_off_days';

/**
 * Takes the first locks of a batch, as `lockClicks` does, and loads what it must know next, in one round trip. Of the conversions only their ids: mostly
 * there is none, and asking the unpartitioned tables first spares the plan over every partition.
 */
export async function lockAndLookUp(
  tx: Tx,
  params: {
    postbackIds: readonly bigint[];
    clicks: readonly EventClick[];
    visitorIds: readonly string[];
    networkIds: readonly string[];
    offerIds: readonly number[];
    publisherIds: readonly string[];
  },
): Promise<IntakeLookups> {
  const { postbackIds, clicks } = params;
  const clickIds = clicks.map((click) => click.clickId);
  const times = clickIds.map(clickIdTime);
  type Row =
    | { kind: 'postback'; data: { id: string; outcome: string } }
    | { kind: 'click'; data: ClickRow }
    | { kind: 'conversion'; data: string }
    | { kind: 'offer'; data: OfferRow }
    | { kind: 'publisher'; data: { trackier_pid: string; tenant_id: string } };
  const { rows } = await tx.query<Row>(
    `select * from intake_open($1::text[], $2::bigint[], $3::timestamptz, $4::timestamptz, $5::bigint[], $6::timestamptz[], $7::uuid[], $8::uuid[],
       $9::timestamptz, $10::timestamptz, $11::text[], $12::int[], $13::text[])`,
    [
      lockKeys(clickIds, params.visitorIds),
      postbackIds,
      ...boundsOf(postbackIds.map(clickIdTime)),
      clickIds,
      times.map((time) => new Date(time)),
      clicks.map((click) => (click.kind === 'reference' ? click.linkId : null)),
      clicks.map((click) => (click.kind === 'reference' ? click.visitorId : null)),
      ...boundsOf(times),
      params.networkIds.map(networkAlias),
      params.offerIds,
      params.publisherIds,
    ],
  );
  const found: IntakeLookups = {
    taken: new Map(),
    clicks: clicks.map(() => null),
    convIds: [],
    offers: new Map(),
    publishers: new Map(),
  };
  for (const row of rows)
    if (row.kind === 'postback') found.taken.set(BigInt(row.data.id), row.data.outcome);
    else if (row.kind === 'click') found.clicks[row.data.i - 1] = toClick(row.data, clicks[row.data.i - 1]);
    else if (row.kind === 'conversion') found.convIds.push(BigInt(row.data));
    else if (row.kind === 'offer') found.offers.set(row.data.offer_id, toOffer(row.data));
    else found.publishers.set(row.data.trackier_pid, row.data.tenant_id);
  return found;
}

/** The first and the last of some times, so that a query looks into their partitions only. */
function boundsOf(times: readonly number[]): [Date, Date] {
  if (times.length === 0) return [new Date(0), new Date(0)];
  return [new Date(Math.min(...times)), new Date(Math.max(...times))];
}

function toClick(row: ClickRow, click: EventClick | undefined): ClickContext | null {
  if (click === undefined || row.link_id === null || row.tenant_id === null || row.campaign_id === null) return null;
  if (row.offer_id === null || row.share_pct === null) return null;
  return {
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

type OfferRow = {
  offer_id: number;
  network: string;
  merchant: string;
  currency: string;
  base_commission_pct: string | null;
  fixed_commission: string | null;
  country_commissions: Offer['countries'];
  cool_off_days: number;
};

function toOffer(row: OfferRow): Offer {
  return {
    offerId: row.offer_id,
    network: row.network,
    merchant: row.merchant,
    currency: row.currency,
    pct: row.base_commission_pct,
    fixed: row.fixed_commission,
    countries: row.country_commissions,
    coolOffDays: row.cool_off_days,
  };
}

export async function loadOffers(tx: Tx, offerIds: readonly number[]): Promise<Map<number, Offer>> {
  if (offerIds.length === 0) return new Map();
  const { rows } = await tx.query<OfferRow>(`select ${OFFER_COLUMNS} from offers where offer_id = any($1::int[])`, [
    offerIds,
  ]);
  return new Map(rows.map((row) => [row.offer_id, toOffer(row)]));
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

/**
 * Takes the second locks, shoppers (velocity is counted under them) and order ids (one order is credited once), then loads what holds under them.
 * Times in milliseconds since the Unix epoch.
 * @param params.keys what to lock, by `shopper:<id>` and `orderKeyText`
 */
export async function lockAndLoadFacts(
  tx: Tx,
  params: {
    keys: readonly string[];
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
    name: string;
    at: Date | null;
    conv_id: bigint | null;
    tenant_id: string | null;
    version: number | null;
    rules: unknown;
  };
  const { rows } = await tx.query<Row>(
    `select * from intake_facts($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz, $5::timestamptz, $6::uuid[], $7::uuid[], $8::text[], $9::text[],
       $10::text[], $11::uuid[])`,
    [
      params.keys,
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
      facts.times.set(row.name, [...(facts.times.get(row.name) ?? []), row.at.getTime()]);
    else if (row.kind === 'own') facts.ownPeople.add(row.name);
    else if (/order$/.test(row.kind) && row.at !== null && row.conv_id !== null && row.tenant_id !== null) {
      const { conv_id: convId, tenant_id: tenantId } = row;
      const holder = { convId, tenantId, firstSeen: row.at.getTime(), isCurrent: row.kind === 'order' };
      facts.orders.set(row.name, [...(facts.orders.get(row.name) ?? []), holder]);
    } else if (row.kind === 'rules') facts.rules.set(row.name, { version: row.version ?? 0, rules: row.rules });
  }
  return facts;
}
