import type { Assignment } from '../../domain/assignment.ts';
import type { ClaimEvidence } from '../../domain/missing-cashback.ts';
import { parseNetworkAmount } from '../../domain/money.ts';
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

/** How many claims a shopper made since `since`. Runs in `withUser`. */
export async function countClaims(tx: Tx, params: { user_id: string; since: Date }): Promise<number> {
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

/** Claims to be pursued: never searched, approved but not carried out, or open and not searched since `before`; those made after `since`. */
export async function claimsToPursue(
  tx: Tx,
  params: { before: number; since: number; limit: number },
): Promise<string[]> {
  const { rows } = await tx.query<{ claim_id: string }>(
    `select claim_id from missing_cashback_claims
     where status in ('open', 'approved') and (searched_at is null or searched_at < $1) and created_at > $2
     order by searched_at nulls first, created_at limit $3`,
    [new Date(params.before), new Date(params.since), params.limit],
  );
  return rows.map((row) => row.claim_id);
}

const MOST = 20;

/**
 * What there is about a claim: the shopper's clicks on links to the merchant's offers (their own, and their visitors'), conversions of theirs there and
 * of anybody with that order id, and open unmatched postbacks that name it. Runs as the ingest role.
 */
export async function gatherEvidence(
  tx: Tx,
  params: { user_id: string; merchant: string; order_id: string; from: Date; to: Date },
): Promise<ClaimEvidence> {
  const order = params.order_id.trim();
  const { rows: clicks } = await tx.query<{ click_id: bigint; offer_id: number }>(
    `select k.click_id, l.offer_id from clicks k
     join links l on l.link_id = k.link_id and l.tenant_id = k.tenant_id
     join offers o on o.offer_id = l.offer_id and o.merchant = $2
     where k.created_at between $3 and $4
       and (k.user_id = $1 or k.visitor_id in (select v.visitor_id from visitors v where v.user_id = $1))
     order by k.click_id desc limit ${MOST}`,
    [params.user_id, params.merchant, params.from, params.to],
  );
  const { rows: conversions } = await tx.query<{
    conv_id: bigint;
    tenant_id: string;
    txn_id: string | null;
    own: boolean;
    nobodys: boolean;
  }>(
    `select c.conv_id, c.tenant_id, c.txn_id, coalesce(c.user_id = $1, false) as own, c.user_id is null and c.visitor_id is null as nobodys
     from conversions c join offers o on o.offer_id = c.offer_id and o.merchant = $2
     where c.created_at between $3 and $4
       and (c.user_id = $1 or c.conv_id in (
         select k.conv_id from order_keys k where k.merchant = $2 and k.order_id = any($5::text[])
         union all select k.conv_id from order_keys_past k where k.merchant = $2 and k.order_id = any($5::text[])))
     order by c.created_at desc limit ${MOST}`,
    [params.user_id, params.merchant, params.from, params.to, [order, order.toUpperCase(), order.toLowerCase()]],
  );
  type UnmatchedRow = {
    unmatched_id: bigint;
    offer_id: number;
    order_id: string;
    sale_amount: string | null;
    known: boolean;
    received_at: Date;
  };
  const { rows: unmatched } = await tx.query<UnmatchedRow>(
    `select u.unmatched_id, o.offer_id, u.raw ->> 'txn_id' as order_id, u.raw ->> 'sale_amount' as sale_amount,
       u.reason not in ('missing_click', 'unknown_click', 'unsubstituted_macro')
         or exists (select 1 from clicks k where k.click_id = u.click_id and k.created_at = id_time(u.click_id)) as known,
       u.received_at
     from unmatched_conversions u
     join offers o on o.offer_id::text = coalesce(u.raw ->> 'offer_id', u.raw ->> 'campaign_id') and o.merchant = $1
     where u.status = 'open' and u.assigned_at is null and lower(u.raw ->> 'txn_id') = lower($2)
     order by u.unmatched_id limit ${MOST}`,
    [params.merchant, order],
  );
  return {
    clicks: clicks.map((row) => ({ clickId: row.click_id, offerId: row.offer_id })),
    conversions: conversions.map((row) => ({
      convId: row.conv_id,
      tenantId: row.tenant_id,
      txnId: row.txn_id,
      isOwn: row.own,
      isNobodys: row.nobodys,
    })),
    unmatched: unmatched.map((row) => ({
      unmatchedId: row.unmatched_id,
      offerId: row.offer_id,
      orderId: row.order_id,
      amount: row.sale_amount === null ? null : parseNetworkAmount(row.sale_amount.trim()),
      hasKnownClick: row.known,
      receivedAt: row.received_at.getTime(),
    })),
  };
}

/** Gives an approved claim back to operators: what was decided cannot be done. `at` in milliseconds since the Unix epoch. */
export async function reopenClaim(tx: Tx, claimId: string, at: number): Promise<void> {
  await tx.query(
    `update missing_cashback_claims set status = 'open', rule = 'decision_impossible', searched_at = $2 where claim_id = $1`,
    [claimId, new Date(at)],
  );
}

/** The tenant of a conversion, if it is this shopper's; null otherwise. */
export async function tenantOfOwnConversion(tx: Tx, convId: bigint, userId: string): Promise<string | null> {
  const { rows } = await tx.query<{ tenant_id: string }>(
    'select tenant_id from conversions where conv_id = $1 and user_id = $2',
    [convId, userId],
  );
  return rows[0]?.tenant_id ?? null;
}
