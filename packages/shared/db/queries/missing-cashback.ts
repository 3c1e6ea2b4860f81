import type { Assignment } from '../../domain/assignment.ts';
import type { ClaimEvidence, Whose } from '../../domain/missing-cashback.ts';
import { parseNetworkAmount, parsePaise } from '../../domain/money.ts';
import { commissionFor } from '../../domain/split.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export const CLAIM_STATUSES = ['open', 'approved', 'linked', 'rejected'] as const;
export type ClaimStatus = (typeof CLAIM_STATUSES)[number];

/** What an operator decided that a claim is about. */
export type ClaimDecision = { conv_id: string } | { unmatched_id: string; assignment: Assignment };

export type ClaimRow = {
  claim_id: string;
  user_id: string;
  merchant: string;
  brand: string;
  offer_id: number | null;
  purchased_on: string;
  order_id: string;
  amount: string;
  status: ClaimStatus;
  rule: string | null;
  evidence: Record<string, unknown>;
  tenant_id: string | null;
  conv_id: bigint | null;
  unmatched_id: bigint | null;
  created_at: Date;
  decided_at: Date | null;
  decision: ClaimDecision | null;
  reason: string | null;
};

const COLUMNS = `claim_id, user_id, merchant, brand, offer_id, purchased_on, order_id, amount, status, rule, evidence, tenant_id, conv_id, unmatched_id, created_at,
  decided_at, decision, reason`;

/** The merchant behind an offer's number or a brand's name; null if we know none. */
export async function findMerchant(
  tx: Tx,
  wanted: { offer_id?: number | undefined; brand?: string | undefined },
): Promise<{ merchant: string; brand: string } | null> {
  const { rows } = await tx.query<{ merchant: string; brand: string }>(
    `select merchant, brand from offers
     where ($1::int is not null and offer_id = $1) or ($1::int is null and (lower(brand) = lower($2) or merchant = lower($2)))
     order by status, offer_id limit 1`,
    [wanted.offer_id ?? null, wanted.brand?.trim() ?? null],
  );
  return rows[0] ?? null;
}

/**
 * How many claims a shopper made since `since`, counted behind those that are being made at this moment: whoever counts next waits for the end of this
 * transaction. Runs in `withUser`.
 */
export async function countClaims(tx: Tx, params: { user_id: string; since: Date }): Promise<number> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('missing-cashback:' || $1::text, 0))`, [
    params.user_id,
  ]);
  const { rows } = await tx.query<{ count: bigint }>(
    'select count(*) as count from missing_cashback_claims where user_id = $1 and created_at >= $2',
    [params.user_id, params.since],
  );
  return Number(rows[0]?.count ?? 0n);
}

export type NewClaim = {
  claim_id: string;
  user_id: string;
  merchant: string;
  brand: string;
  offer_id: number | null;
  purchased_on: string;
  order_id: string;
  amount: string;
  at: Date;
};

/** Writes a claim; false if the shopper made one of that order already. Runs in `withUser`. */
export async function insertClaim(tx: Tx, claim: NewClaim): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into missing_cashback_claims (claim_id, user_id, merchant, brand, offer_id, purchased_on, order_id, amount, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (user_id, merchant, lower(order_id)) do nothing`,
    [
      claim.claim_id,
      claim.user_id,
      claim.merchant,
      claim.brand,
      claim.offer_id,
      claim.purchased_on,
      claim.order_id,
      claim.amount,
      claim.at,
    ],
  );
  return rowCount === 1;
}

type PageOf = { after?: { at: bigint; id: string } | undefined; limit: number };

/** A shopper's own claims, newest first. Runs in `withUser`. */
export async function claimsOfUser(
  tx: Tx,
  params: PageOf & { user_id: string },
): Promise<(ClaimRow & { at: bigint })[]> {
  const { rows } = await tx.query<ClaimRow & { at: bigint }>(
    `select ${COLUMNS}, ${microsecondsOf('created_at')} as at from missing_cashback_claims
     where user_id = $1 and ($2::bigint is null or (created_at, claim_id) < (${fromMicroseconds('$2')}, $3::uuid))
     order by created_at desc, claim_id desc limit $4`,
    [params.user_id, params.after?.at ?? null, params.after?.id ?? null, params.limit],
  );
  return rows;
}

/** Claims for operators, newest first. Runs in `withOperator`. */
export async function listClaims(
  tx: Tx,
  params: PageOf & { status: ClaimStatus },
): Promise<(ClaimRow & { at: bigint })[]> {
  const { rows } = await tx.query<ClaimRow & { at: bigint }>(
    `select ${COLUMNS}, ${microsecondsOf('created_at')} as at from missing_cashback_claims
     where status = $1 and ($2::bigint is null or (created_at, claim_id) < (${fromMicroseconds('$2')}, $3::uuid))
     order by created_at desc, claim_id desc limit $4`,
    [params.status, params.after?.at ?? null, params.after?.id ?? null, params.limit],
  );
  return rows;
}

/** One of a shopper's own claims. Runs in `withUser`. */
export async function claimOfUser(tx: Tx, params: { user_id: string; claim_id: string }): Promise<ClaimRow | null> {
  const { rows } = await tx.query<ClaimRow>(
    `select ${COLUMNS} from missing_cashback_claims where user_id = $1 and claim_id = $2`,
    [params.user_id, params.claim_id],
  );
  return rows[0] ?? null;
}

/** One claim, locked, for whoever decides about it. */
export async function lockClaimRow(tx: Tx, claimId: string): Promise<ClaimRow | null> {
  const { rows } = await tx.query<ClaimRow>(
    `select ${COLUMNS} from missing_cashback_claims where claim_id = $1 for update`,
    [claimId],
  );
  return rows[0] ?? null;
}

/** Writes an operator's decision: `approved` is carried out by the ledger consumer. Runs in `withOperator`. */
export async function decideClaim(
  tx: Tx,
  params: {
    claim_id: string;
    status: 'approved' | 'rejected';
    decision: ClaimDecision | null;
    by: string;
    reason: string;
    at: Date;
  },
): Promise<void> {
  await tx.query(
    'update missing_cashback_claims set status = $2, decision = $3, decided_by = $4, reason = $5, decided_at = $6 where claim_id = $1',
    [
      params.claim_id,
      params.status,
      params.decision === null ? null : JSON.stringify(params.decision),
      params.by,
      params.reason,
      params.at,
    ],
  );
}

/** What a claim was linked to. */
export async function linkClaim(
  tx: Tx,
  params: { claim_id: string; rule: string; tenant_id?: string; conv_id?: bigint; unmatched_id?: bigint },
): Promise<void> {
  await tx.query(
    `update missing_cashback_claims set status = 'linked', rule = $2, tenant_id = coalesce($3, tenant_id), conv_id = coalesce($4, conv_id),
       unmatched_id = coalesce($5, unmatched_id) where claim_id = $1`,
    [params.claim_id, params.rule, params.tenant_id ?? null, params.conv_id ?? null, params.unmatched_id ?? null],
  );
}

/** Notes what a search found, and why it linked nothing. `at` in milliseconds since the Unix epoch. */
export async function noteSearch(
  tx: Tx,
  params: { claim_id: string; rule: string | null; evidence: unknown; at: number },
): Promise<void> {
  await tx.query('update missing_cashback_claims set rule = $2, evidence = $3, searched_at = $4 where claim_id = $1', [
    params.claim_id,
    params.rule,
    JSON.stringify(params.evidence),
    new Date(params.at),
  ]);
}

/**
 * Claims to be pursued: approved ones that are not carried out, linked ones whose postback has become no conversion yet, and open ones never searched or
 * not since `before`, of those made after `since`. Times in milliseconds since the Unix epoch.
 */
export async function claimsToPursue(
  tx: Tx,
  params: { before: number; since: number; limit: number },
): Promise<string[]> {
  const { rows } = await tx.query<{ claim_id: string }>(
    `select claim_id from (
       select claim_id, searched_at, created_at from missing_cashback_claims where status = 'approved'
       union all
       select claim_id, searched_at, created_at from missing_cashback_claims where status = 'linked' and unmatched_id is not null and conv_id is null
       union all
       select claim_id, searched_at, created_at from missing_cashback_claims
       where status = 'open' and (searched_at is null or searched_at < $1) and created_at > $2) c
     order by searched_at nulls first, created_at limit $3`,
    [new Date(params.before), new Date(params.since), params.limit],
  );
  return rows.map((row) => row.claim_id);
}

const MOST = 20;
/** Clicks are many: the one before the sale must be among them. */
const MOST_CLICKS = 200;

/** Whose a conversion `c` is to the shopper in parameter $1, with its visitor `v`. */
const WHOSE = `case when c.user_id = $1 or (c.user_id is null and v.user_id = $1) then 'own' when c.user_id is not null or v.user_id is not null then 'another_shoppers'
  when c.visitor_id is not null then 'unclaimed_visitors' else 'nobodys' end`;

/**
 * What there is about a claim: the shopper's clicks on links to the merchant's offers (their own, and their visitors'), conversions of theirs there and
 * of anybody with that order id, and open unmatched postbacks that name it, or name no order and the amount. Runs as the ingest role.
 * @param params clicks and conversions from `from` to `to` are looked at, postbacks without an order id from `told_from` on
 */
export async function gatherEvidence(
  tx: Tx,
  params: {
    user_id: string;
    merchant: string;
    order_id: string;
    amount: string;
    from: Date;
    told_from: Date;
    to: Date;
  },
): Promise<ClaimEvidence> {
  const order = params.order_id.trim();
  const { rows: clicks } = await tx.query<{ click_id: bigint; offer_id: number; link_id: string }>(
    `select k.click_id, l.offer_id, k.link_id from clicks k
     join links l on l.link_id = k.link_id and l.tenant_id = k.tenant_id
     join offers o on o.offer_id = l.offer_id and o.merchant = $2
     where k.created_at between $3 and $4
       and (k.user_id = $1 or k.visitor_id in (select v.visitor_id from visitors v where v.user_id = $1))
     order by k.click_id desc limit ${MOST_CLICKS}`,
    [params.user_id, params.merchant, params.from, params.to],
  );
  type ConversionRow = {
    conv_id: bigint;
    tenant_id: string;
    offer_id: number;
    click_id: bigint;
    txn_id: string | null;
    whose: Whose;
    first_value: string | null;
    value: string | null;
    created_at: Date;
    status: string;
  };
  const { rows: conversions } = await tx.query<ConversionRow>(
    `with ids as (
       select c.conv_id, c.created_at from conversions c where c.user_id = $1 and c.created_at between $3 and $4
       union
       select c.conv_id, c.created_at from visitors v join conversions c on c.visitor_id = v.visitor_id and c.user_id is null
       where v.user_id = $1 and c.created_at between $3 and $4
       union
       select i.conv_id, i.occurred_at from (select distinct network from offers where merchant = $2) n
       cross join lateral (
         select k.conv_id from order_keys k where k.network = n.network and k.merchant = $2 and k.order_id = any($5::text[])
         union all
         select k.conv_id from order_keys_past k where k.network = n.network and k.merchant = $2 and k.order_id = any($5::text[])) h
       join conversion_identities i on i.conv_id = h.conv_id where i.occurred_at between $3 and $4)
     select c.conv_id, c.tenant_id, c.offer_id, c.click_id, c.txn_id, ${WHOSE} as whose, c.order_value as first_value, i.order_value as value, c.created_at,
       l.status
     from ids
     join conversions c on c.conv_id = ids.conv_id and c.created_at = ids.created_at
     join offers o on o.offer_id = c.offer_id and o.merchant = $2
     join conversion_identities i on i.conv_id = c.conv_id
     join ledger l on l.conv_id = c.conv_id and l.tenant_id = c.tenant_id and l.created_at = c.created_at and l.seq = 0
     left join visitors v on v.visitor_id = c.visitor_id
     order by lower(c.txn_id) = lower($6) desc nulls last, c.created_at desc limit ${MOST}`,
    [params.user_id, params.merchant, params.from, params.to, [order, order.toUpperCase(), order.toLowerCase()], order],
  );
  type UnmatchedRow = OfferRow & {
    unmatched_id: bigint;
    raw: Record<string, string>;
    reason: string;
    known: boolean;
    received_at: Date;
  };
  const { rows: unmatched } = await tx.query<UnmatchedRow>(
    `with named as (
       select u.* from unmatched_conversions u where u.status = 'open' and lower(u.raw ->> 'txn_id') = lower($2)
       union all
       select u.* from unmatched_conversions u
       where u.status = 'open' and u.received_at between $3 and $4 and coalesce(u.raw ->> 'txn_id', '') ~ '^\\s*$|[{}]'
         and case when u.raw ->> 'sale_amount' ~ '^[0-9]{1,11}([.][0-9]{1,6})?$' then trunc((u.raw ->> 'sale_amount')::numeric, 2) end = $5::numeric)
     select u.unmatched_id, u.raw, u.reason, o.offer_id, o.base_commission_pct::text as pct, o.fixed_commission::text as fixed,
       o.country_commissions as countries,
       u.assigned_at is not null or u.reason not in ('missing_click', 'unknown_click', 'unsubstituted_macro')
         or exists (select 1 from clicks k where k.click_id = u.click_id and k.created_at = id_time(u.click_id)) as known,
       u.received_at
     from named u
     join offers o on o.offer_id::text = coalesce(u.raw ->> 'offer_id', u.raw ->> 'campaign_id') and o.merchant = $1
     order by lower(u.raw ->> 'txn_id') = lower($2) desc nulls last, u.unmatched_id limit ${MOST}`,
    [params.merchant, order, params.told_from, params.to, params.amount],
  );
  return {
    clicks: clicks.map((row) => ({ clickId: row.click_id, offerId: row.offer_id, linkId: row.link_id })),
    conversions: conversions.map((row) => ({
      convId: row.conv_id,
      tenantId: row.tenant_id,
      offerId: row.offer_id,
      clickId: row.click_id,
      txnId: row.txn_id,
      whose: row.whose,
      amounts: [row.first_value, row.value].flatMap((value) => (value === null ? [] : [parsePaise(value)])),
      occurredAt: row.created_at.getTime(),
      status: row.status,
    })),
    unmatched: unmatched.map((row) => ({
      unmatchedId: row.unmatched_id,
      offerId: row.offer_id,
      orderId: /[{}]/.test(row.raw.txn_id ?? '') ? '' : (row.raw.txn_id ?? ''),
      reason: row.reason,
      amount: parseNetworkAmount(row.raw.sale_amount?.trim() ?? ''),
      payout: parseNetworkAmount(row.raw.payout?.trim() ?? ''),
      commission: commissionFor(row, row.raw.country?.trim().toUpperCase() ?? null),
      hasKnownClick: row.known,
      reportedAt: timeOf(row.raw.created) ?? row.received_at.getTime(),
    })),
  };
}

type OfferRow = Parameters<typeof commissionFor>[0] & { offer_id: number };

function timeOf(text: string | undefined): number | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : at;
}

/** How many other shoppers claim the same order and were not rejected. */
export async function countRivals(
  tx: Tx,
  claim: { user_id: string; merchant: string; order_id: string },
): Promise<number> {
  const { rows } = await tx.query<{ count: bigint }>(
    `select count(*) as count from missing_cashback_claims
     where merchant = $2 and lower(order_id) = lower($3) and user_id <> $1 and status <> 'rejected'`,
    [claim.user_id, claim.merchant, claim.order_id],
  );
  return Number(rows[0]?.count ?? 0n);
}

/** True for a click that is another shopper's, by itself or by its visitor. */
export async function isOthersClick(tx: Tx, clickId: bigint, userId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select 1 from clicks k left join visitors v on v.visitor_id = k.visitor_id
     where k.click_id = $1 and k.created_at = id_time($1) and coalesce(v.user_id, k.user_id) <> $2`,
    [clickId, userId],
  );
  return rowCount > 0;
}

/** What became of an unmatched postback that a claim was linked to. */
export type LinkedPostback = {
  status: 'open' | 'matched' | 'dismissed';
  reason: string;
  conv_id: bigint | null;
  tenant_id: string | null;
  /** It was tried since it was assigned. */
  is_tried: boolean;
};

/** What became of an unmatched postback that a claim was linked to; null if it is gone. */
export async function linkedPostback(tx: Tx, unmatchedId: bigint): Promise<LinkedPostback | null> {
  const { rows } = await tx.query<LinkedPostback>(
    `select u.status, u.reason, u.conv_id, u.tenant_id, exists (
       select 1 from postbacks p where p.postback_id = u.unmatched_id and p.received_at = id_time(u.unmatched_id) and p.processed_at > u.assigned_at) as is_tried
     from unmatched_conversions u where u.unmatched_id = $1`,
    [unmatchedId],
  );
  return rows[0] ?? null;
}

/**
 * Gives a claim back to operators: what was decided, or linked by rule, cannot be done, and `rule` says why. Nothing is decided any more; the audit log keeps what
 * was. `at` in milliseconds since the Unix epoch.
 */
export async function reopenClaim(tx: Tx, params: { claim_id: string; rule: string; at: number }): Promise<void> {
  await tx.query(
    `update missing_cashback_claims set status = 'open', rule = $2, searched_at = $3, unmatched_id = null, decision = null, decided_at = null,
       decided_by = null, reason = null where claim_id = $1`,
    [params.claim_id, params.rule, new Date(params.at)],
  );
}

/** Whose a conversion is, as far as a shopper is known; null if there is no such conversion. Runs in `withOperator`. */
export async function shopperOfConversion(tx: Tx, convId: bigint): Promise<{ user_id: string | null } | null> {
  const { rows } = await tx.query<{ user_id: string | null }>('select user_id from conversions where conv_id = $1', [
    convId,
  ]);
  return rows[0] ?? null;
}

/** The tenant of a conversion, if it is this shopper's; null otherwise. */
export async function tenantOfOwnConversion(tx: Tx, convId: bigint, userId: string): Promise<string | null> {
  const { rows } = await tx.query<{ tenant_id: string }>(
    'select tenant_id from conversions where conv_id = $1 and user_id = $2',
    [convId, userId],
  );
  return rows[0]?.tenant_id ?? null;
}
