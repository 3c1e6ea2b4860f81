import type { Conversion, LedgerRow } from '../../domain/conversion.ts';
import type { FraudDecision, FraudInputs } from '../../domain/fraud.ts';
import { aliasesOf } from '../../domain/intake.ts';
import type { Posting } from '../../domain/journal.ts';
import { formatBasisPoints, formatPaise, type Paise } from '../../domain/money.ts';
import type { Tx } from '../types.ts';
import type { OrderKey } from './intake.ts';

/** A new conversion with what only its birth knows. */
export type Birth = {
  conversion: Conversion;
  campaignId: string;
  country: string | null;
  clickCountry: string | null;
  coolOffDays: number;
  receivedAt: number;
  decision: FraudDecision;
  inputs: FraudInputs;
};

export type PostbackRow = {
  postbackId: bigint;
  source: string;
  raw: Record<string, string>;
  outcome: 'credited' | 'updated' | 'replayed' | 'refused' | 'unmatched' | 'ignored';
  detail: string | null;
  conversion: Conversion | null;
};

/** A click known only by its reference (architecture, flow 3). */
export type RecoveredClick = {
  clickId: bigint;
  tenantId: string;
  linkId: string;
  visitorId: string | null;
  userId: string | null;
};

/** The share of a batch in the daily figures, in India's days. */
export type RollupChange = {
  tenantId: string;
  linkId: string;
  /** Milliseconds since the Unix epoch. */
  at: number;
  clicks?: number;
  conversions?: number;
  orderValue?: Paise;
  net?: Paise;
  user?: Paise;
  creator?: Paise;
};

/** An order id with a sale that holds it; `firstSeen` is the network's time of it, in milliseconds since the Unix epoch. */
export type HeldOrder = OrderKey & { convId: bigint; tenantId: string; firstSeen: number };

export type IntakeRows = {
  births: readonly Birth[];
  changed: readonly Conversion[];
  postings: readonly Posting[];
  postbacks: readonly PostbackRow[];
  unmatched: readonly {
    postbackId: bigint;
    tenantId: string | null;
    clickId: bigint | null;
    reason: string;
    raw: Record<string, string>;
    source: string;
  }[];
  recovered: readonly RecoveredClick[];
  /** `replaces`: the conversion that held the order id until now and is out of the window or freed it. */
  ordersTaken: readonly (HeldOrder & { replaces: bigint | null })[];
  /** Holders that count beside the one that holds the order id now, a window or more away. */
  ordersPast: readonly HeldOrder[];
  /** Conversions that hold an order id no more. */
  ordersFreed: readonly bigint[];
  /** Those of `order_keys_past` that are there no more. */
  ordersPastFreed: readonly bigint[];
  rollups: readonly RollupChange[];
  shard: number;
  /** Milliseconds since the Unix epoch. */
  at: number;
};

/**
 * Writes all that a batch decided, in one statement. Every uniqueness it relies on is a constraint: a second writing of the same
 * conversion, alias or journal event fails instead of counting twice.
 * @returns how many clicks were made from their references, fewer than given when one arrived meanwhile; and whether a tenant of what was written has a
 * server that is told of it
 */
export async function writeIntake(
  tx: Tx,
  rows: IntakeRows,
): Promise<{ clicksRecovered: number; isListenedTo: boolean }> {
  const written = [...rows.births.map((birth) => birth.conversion), ...rows.changed];
  const data = {
    identities: rows.births.map(({ conversion: c }) => ({ ...keysOf(c), ...stateOf(c) })),
    changes: rows.changed.map((c) => ({ ...keysOf(c), ...stateOf(c) })),
    aliases: written.flatMap((c) =>
      aliasesOf(c).map((alias) => ({ alias, conv_id: String(c.convId), tenant_id: c.tenantId })),
    ),
    conversions: rows.births.map((birth) => ({
      ...keysOf(birth.conversion),
      ...stateOf(birth.conversion),
      campaign_id: birth.campaignId,
      user_id: birth.conversion.userId,
      currency: birth.conversion.currency,
      country: birth.country,
      click_country: birth.clickCountry,
      fraud_score: birth.decision.score,
      fraud_rules: birth.decision.rules,
      fraud_inputs: { ...birth.inputs, verdict: birth.decision.verdict },
      cool_off_days: birth.coolOffDays,
      received_at: iso(birth.receivedAt),
    })),
    ledger: written.flatMap((c) =>
      c.ledger
        .filter((row) => row.isNew)
        .map((row) => ({
          ...keysOf(c),
          led_id: String(row.ledId),
          seq: row.seq,
          user_id: c.userId,
          currency: c.currency,
          user_pct: formatBasisPoints(c.share),
          user_amount: formatPaise(row.user),
          creator_amount: formatPaise(row.creator),
          status: row.status,
          reason: row.reason,
          release_at: iso(c.releaseAt),
          status_at: iso(row.statusAt),
        })),
    ),
    moves: written.flatMap((c) =>
      c.ledger
        .filter((row) => row.isChanged && !row.isNew)
        .map((row) => ({
          ...keysOf(c),
          led_id: String(row.ledId),
          status: isRevivedToReview(row) ? 'pending' : row.status,
          reason: row.reason,
          status_at: iso(row.statusAt),
        })),
    ),
    postings: postingRows(rows.postings),
    postbacks: rows.postbacks.map((row) => ({
      postback_id: String(row.postbackId),
      source: row.source,
      raw: row.raw,
      outcome: row.outcome,
      detail: row.detail,
      conv_id: row.conversion === null ? null : String(row.conversion.convId),
      tenant_id: row.conversion?.tenantId ?? null,
    })),
    unmatched: rows.unmatched.map((row) => ({
      unmatched_id: String(row.postbackId),
      tenant_id: row.tenantId,
      click_id: row.clickId === null ? null : String(row.clickId),
      reason: row.reason,
      raw: row.raw,
      source: row.source,
    })),
    clicks: rows.recovered.map((click) => ({
      click_id: String(click.clickId),
      tenant_id: click.tenantId,
      link_id: click.linkId,
      visitor_id: click.visitorId,
      user_id: click.userId,
    })),
    orders: rows.ordersTaken.map(orderRow),
    past: rows.ordersPast.map(orderRow),
    rollups: rollupRows(rows.rollups),
  };
  const result = await tx.query<{ orders: bigint; clicks: bigint; listened: boolean }>(
    statement({ ...data, freed: rows.ordersFreed, pastFreed: rows.ordersPastFreed }),
    [
      JSON.stringify(data),
      new Date(rows.at),
      rows.shard,
      rows.ordersFreed,
      rows.changed.some((c) => c.ledger.some((row) => row.isChanged && row.reason === 'revived')) ? 'yes' : '',
      rows.ordersTaken.flatMap((order) => (order.replaces === null ? [] : [order.replaces])),
      rows.ordersPastFreed,
      [...new Set(written.map((c) => c.tenantId))],
    ],
  );
  // The locks make this impossible; the constraint is what is trusted (money rule 2).
  if (result.rows[0]?.orders !== BigInt(rows.ordersTaken.length))
    throw new Error('an order id was taken by another conversion meanwhile');
  const reviews = rows.changed.flatMap((c) => c.ledger.filter(isRevivedToReview).map((row) => ({ c, row })));
  if (reviews.length > 0)
    await tx.query(
      `update ledger l set status = 'review' from unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) as r(led_id, tenant_id, created_at)
       where l.led_id = r.led_id and l.tenant_id = r.tenant_id and l.created_at = r.created_at and l.status = 'pending'`,
      [
        reviews.map(({ row }) => row.ledId),
        reviews.map(({ c }) => c.tenantId),
        reviews.map(({ c }) => new Date(c.occurredAt)),
      ],
    );
  return {
    clicksRecovered: Number(result.rows[0]?.clicks ?? 0n),
    isListenedTo: result.rows[0]?.listened === true,
  };
}

/** The ledger's machine revives to pending only; review comes after it. */
function isRevivedToReview(row: LedgerRow): boolean {
  return row.isChanged && !row.isNew && row.reason === 'revived' && row.status === 'review';
}

/** The columns of journal_entries for these postings, as JSON. */
export function postingRows(postings: readonly Posting[]): Record<string, string>[] {
  return postings.map((posting) => ({
    event_id: posting.eventId,
    account: posting.account,
    amount: formatPaise(posting.amount),
    currency: posting.currency,
    tenant_id: posting.tenantId,
    kind: posting.kind,
  }));
}

function keysOf(c: Conversion): Record<string, unknown> {
  return {
    conv_id: String(c.convId),
    tenant_id: c.tenantId,
    created_at: iso(c.occurredAt),
    click_id: String(c.clickId),
    link_id: c.linkId,
    visitor_id: c.visitorId,
    offer_id: c.offerId,
  };
}

function stateOf(c: Conversion): Record<string, unknown> {
  return {
    goal_id: c.goalId,
    txn_id: c.txnId,
    network_id: c.networkId,
    status: c.status,
    order_value: c.orderValue === null ? null : formatPaise(c.orderValue),
    net_commission: formatPaise(c.net),
    platform_fee: formatPaise(c.fee),
    amendments: c.amendments,
    rounds: c.rounds,
    changed_at: iso(c.changedAt),
  };
}

function orderRow(order: HeldOrder): Record<string, unknown> {
  return {
    network: order.network,
    merchant: order.merchant,
    order_id: order.orderId,
    first_seen: iso(order.firstSeen),
    conv_id: String(order.convId),
    tenant_id: order.tenantId,
  };
}

const INDIA_MS = 5.5 * 3_600_000;

/** One row per tenant, day and link, in key order, so that two batches never wait for each other in a circle. */
export function rollupRows(changes: readonly RollupChange[]): Record<string, unknown>[] {
  const sums = new Map<string, Required<Omit<RollupChange, 'at'>> & { day: string }>();
  for (const change of changes) {
    const day = new Date(change.at + INDIA_MS).toISOString().slice(0, 10);
    const key = `${change.tenantId} ${day} ${change.linkId}`;
    const sum = sums.get(key) ?? {
      tenantId: change.tenantId,
      linkId: change.linkId,
      day,
      clicks: 0,
      conversions: 0,
      orderValue: 0n,
      net: 0n,
      user: 0n,
      creator: 0n,
    };
    sum.clicks += change.clicks ?? 0;
    sum.conversions += change.conversions ?? 0;
    sum.orderValue += change.orderValue ?? 0n;
    sum.net += change.net ?? 0n;
    sum.user += change.user ?? 0n;
    sum.creator += change.creator ?? 0n;
    sums.set(key, sum);
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, sum]) => ({
      tenant_id: sum.tenantId,
      day: sum.day,
      link_id: sum.linkId,
      clicks: sum.clicks,
      conversions: sum.conversions,
      order_value: formatPaise(sum.orderValue),
      net_commission: formatPaise(sum.net),
      user_amount: formatPaise(sum.user),
      creator_amount: formatPaise(sum.creator),
    }));
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** SQL that adds the rollup rows in member `rollups` of the JSON parameter `data` to the shard in parameter `shard`. */
export const addRollups = (data: string, shard: string): string => `
  insert into daily_rollups as d (tenant_id, day, link_id, shard, clicks, conversions, order_value, net_commission, user_amount, creator_amount)
  select r.tenant_id, r.day, r.link_id, ${shard}::smallint, r.clicks, r.conversions, r.order_value, r.net_commission, r.user_amount, r.creator_amount
  from jsonb_to_recordset(${data}::jsonb -> 'rollups') as r(tenant_id uuid, day date, link_id uuid, clicks bigint, conversions bigint,
    order_value numeric, net_commission numeric, user_amount numeric, creator_amount numeric)
  order by r.tenant_id, r.day, r.link_id
  on conflict (tenant_id, day, link_id, shard) do update set clicks = d.clicks + excluded.clicks, conversions = d.conversions + excluded.conversions,
    order_value = d.order_value + excluded.order_value, net_commission = d.net_commission + excluded.net_commission,
    user_amount = d.user_amount + excluded.user_amount, creator_amount = d.creator_amount + excluded.creator_amount`;

/**
 * The parts of the one statement, each with the member of the data that it writes. A part without rows is left out: planning an update of
 * tables with this many partitions costs more than inserting a hundred rows.
 */
const PARTS: readonly { readonly member: string; readonly sql: string }[] = [
  {
    member: 'identities',
    sql: `identities as (
  insert into conversion_identities (conv_id, tenant_id, occurred_at, click_id, link_id, visitor_id, offer_id, goal_id, txn_id, network_id, status,
    order_value, net_commission, platform_fee, amendments, rounds, changed_at)
  select r.conv_id, r.tenant_id, r.created_at, r.click_id, r.link_id, r.visitor_id, r.offer_id, r.goal_id, r.txn_id, r.network_id, r.status,
    r.order_value, r.net_commission, r.platform_fee, r.amendments, r.rounds, r.changed_at
  from input, jsonb_to_recordset(j -> 'identities') as r(conv_id bigint, tenant_id uuid, created_at timestamptz, click_id bigint, link_id uuid,
    visitor_id uuid, offer_id int, goal_id text, txn_id text, network_id text, status text, order_value numeric, net_commission numeric,
    platform_fee numeric, amendments int, rounds int, changed_at timestamptz)
)`,
  },
  {
    member: 'changes',
    sql: `changes as (
  update conversion_identities i set goal_id = r.goal_id, txn_id = r.txn_id, network_id = r.network_id, status = r.status, order_value = r.order_value,
    net_commission = r.net_commission, platform_fee = r.platform_fee, amendments = r.amendments, rounds = r.rounds, changed_at = r.changed_at
  from input, jsonb_to_recordset(j -> 'changes') as r(conv_id bigint, goal_id text, txn_id text, network_id text, status text, order_value numeric,
    net_commission numeric, platform_fee numeric, amendments int, rounds int, changed_at timestamptz)
  where i.conv_id = r.conv_id
)`,
  },
  {
    member: 'aliases',
    sql: `aliases as (
  insert into conversion_aliases (alias, conv_id, tenant_id)
  select r.alias, r.conv_id, r.tenant_id from input, jsonb_to_recordset(j -> 'aliases') as r(alias text, conv_id bigint, tenant_id uuid)
  where not exists (select 1 from conversion_aliases a where a.alias = r.alias and a.conv_id = r.conv_id)
)`,
  },
  {
    member: 'conversions',
    sql: `conversions_new as (
  insert into conversions (conv_id, created_at, tenant_id, click_id, link_id, campaign_id, offer_id, user_id, visitor_id, order_value, net_commission,
    platform_fee, currency, status, txn_id, network_id, goal_id, country, click_country, fraud_score, fraud_rules, fraud_inputs, cool_off_days, received_at)
  select r.conv_id, r.created_at, r.tenant_id, r.click_id, r.link_id, r.campaign_id, r.offer_id, r.user_id, r.visitor_id, r.order_value,
    r.net_commission, r.platform_fee, r.currency, r.status, r.txn_id, r.network_id, r.goal_id, r.country, r.click_country, r.fraud_score,
    r.fraud_rules, r.fraud_inputs, r.cool_off_days, r.received_at
  from input, jsonb_to_recordset(j -> 'conversions') as r(conv_id bigint, created_at timestamptz, tenant_id uuid, click_id bigint, link_id uuid,
    campaign_id uuid, offer_id int, user_id uuid, visitor_id uuid, order_value numeric, net_commission numeric, platform_fee numeric, currency text,
    status text, txn_id text, network_id text, goal_id text, country text, click_country text, fraud_score int, fraud_rules text[],
    fraud_inputs jsonb, cool_off_days int, received_at timestamptz)
)`,
  },
  {
    member: 'changes',
    sql: `conversions_changed as (
  update conversions c set status = r.status, txn_id = r.txn_id, network_id = r.network_id, goal_id = r.goal_id
  from input, jsonb_to_recordset(j -> 'changes') as r(conv_id bigint, created_at timestamptz, status text, txn_id text, network_id text, goal_id text)
  where c.conv_id = r.conv_id and c.created_at = r.created_at
)`,
  },
  {
    member: 'ledger',
    sql: `ledger_new as (
  insert into ledger (led_id, tenant_id, created_at, conv_id, seq, user_id, visitor_id, currency, user_pct, user_amount, creator_amount, status, reason,
    release_at, status_at)
  select r.led_id, r.tenant_id, r.created_at, r.conv_id, r.seq, r.user_id, r.visitor_id, r.currency, r.user_pct, r.user_amount, r.creator_amount,
    r.status, r.reason, r.release_at, r.status_at
  from input, jsonb_to_recordset(j -> 'ledger') as r(led_id bigint, tenant_id uuid, created_at timestamptz, conv_id bigint, seq int, user_id uuid,
    visitor_id uuid, currency text, user_pct numeric, user_amount numeric, creator_amount numeric, status text, reason text, release_at timestamptz,
    status_at timestamptz)
)`,
  },
  {
    member: 'moves',
    sql: `ledger_moved as (
  update ledger l set status = r.status, reason = r.reason, status_at = r.status_at
  from input, jsonb_to_recordset(j -> 'moves') as r(led_id bigint, tenant_id uuid, created_at timestamptz, status text, reason text, status_at timestamptz)
  where l.led_id = r.led_id and l.tenant_id = r.tenant_id and l.created_at = r.created_at
)`,
  },
  {
    member: 'postings',
    sql: `postings as (
  insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
  select r.event_id, r.account, r.amount, r.currency, r.tenant_id, r.kind, $2
  from input, jsonb_to_recordset(j -> 'postings') as r(event_id text, account text, amount numeric, currency text, tenant_id uuid, kind text)
)`,
  },
  {
    member: 'postbacks',
    sql: `postbacks_written as (
  insert into postbacks as p (postback_id, received_at, source, raw, outcome, detail, conv_id, tenant_id, processed_at)
  select r.postback_id, id_time(r.postback_id), r.source, r.raw, r.outcome, r.detail, r.conv_id, r.tenant_id, $2
  from input, jsonb_to_recordset(j -> 'postbacks') as r(postback_id bigint, source text, raw jsonb, outcome text, detail text, conv_id bigint,
    tenant_id uuid)
  on conflict (postback_id, received_at) do update set outcome = excluded.outcome, detail = excluded.detail, conv_id = excluded.conv_id,
    tenant_id = excluded.tenant_id, processed_at = excluded.processed_at
)`,
  },
  {
    member: 'unmatched',
    sql: `unmatched_kept as (
  insert into unmatched_conversions as u (unmatched_id, tenant_id, reason, raw, source, click_id, received_at)
  select r.unmatched_id, r.tenant_id, r.reason, r.raw, r.source, r.click_id, id_time(r.unmatched_id)
  from input, jsonb_to_recordset(j -> 'unmatched') as r(unmatched_id bigint, tenant_id uuid, reason text, raw jsonb, source text, click_id bigint)
  on conflict (unmatched_id) do update set tenant_id = excluded.tenant_id, reason = excluded.reason where u.status = 'open'
)`,
  },
  {
    member: 'postbacks',
    sql: `unmatched_solved as (
  update unmatched_conversions u set status = 'matched', conv_id = r.conv_id, tenant_id = r.tenant_id, resolved_at = $2
  from input, jsonb_to_recordset(j -> 'postbacks') as r(postback_id bigint, conv_id bigint, tenant_id uuid)
  where u.unmatched_id = r.postback_id and r.conv_id is not null and u.status = 'open'
)`,
  },
  {
    member: 'clicks',
    sql: `clicks_recovered as (
  insert into clicks (click_id, created_at, tenant_id, link_id, visitor_id, user_id, source)
  select r.click_id, id_time(r.click_id), r.tenant_id, r.link_id, r.visitor_id, r.user_id, 'reference'
  from input, jsonb_to_recordset(j -> 'clicks') as r(click_id bigint, tenant_id uuid, link_id uuid, visitor_id uuid, user_id uuid)
  on conflict (click_id, created_at) do nothing
  returning 1
)`,
  },
  {
    member: 'freed',
    sql: `orders_freed as (
  delete from order_keys o using unnest($4::bigint[]) as f(conv_id) where o.conv_id = f.conv_id
)`,
  },
  {
    member: 'past',
    sql: `orders_past as (
  insert into order_keys_past (network, merchant, order_id, first_seen, conv_id, tenant_id)
  select r.network, r.merchant, r.order_id, r.first_seen, r.conv_id, r.tenant_id
  from input, jsonb_to_recordset(j -> 'past') as r(network text, merchant text, order_id text, first_seen timestamptz, conv_id bigint, tenant_id uuid)
)`,
  },
  {
    member: 'pastFreed',
    sql: `orders_past_freed as (
  delete from order_keys_past o using unnest($7::bigint[]) as f(conv_id) where o.conv_id = f.conv_id
)`,
  },
  {
    member: 'orders',
    sql: `orders_taken as (
  insert into order_keys as o (network, merchant, order_id, first_seen, conv_id, tenant_id)
  select r.network, r.merchant, r.order_id, r.first_seen, r.conv_id, r.tenant_id
  from input, jsonb_to_recordset(j -> 'orders') as r(network text, merchant text, order_id text, first_seen timestamptz, conv_id bigint, tenant_id uuid)
  on conflict (network, merchant, order_id) do update set first_seen = excluded.first_seen, conv_id = excluded.conv_id, tenant_id = excluded.tenant_id
    where o.conv_id = any($6::bigint[])
  returning 1
)`,
  },
  {
    member: 'rollups',
    sql: `rollups as (${addRollups('$1', '$3')})`,
  },
];

function statement(data: Readonly<Record<string, readonly unknown[]>>): string {
  const parts = PARTS.filter(({ member }) => (data[member]?.length ?? 0) > 0).map(({ sql }) => sql);
  const count = (member: string, part: string): string =>
    (data[member]?.length ?? 0) > 0 ? `(select count(*) from ${part})` : '0::bigint';
  const orders = count('orders', 'orders_taken');
  const clicks = count('clicks', 'clicks_recovered');
  const input = `input as (select $1::jsonb as j, set_config('app.revive', $5, true), $2::timestamptz, $3::smallint, $4::bigint[], $6::bigint[], $7::bigint[])`;
  const listened = `exists (select 1 from webhook_endpoints e where e.tenant_id = any($8::uuid[]) and e.status = 'enabled')`;
  return `with ${[input, ...parts].join(',\n')}\nselect ${orders} as orders, ${clicks} as clicks, ${listened} as listened from input`;
}
