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
