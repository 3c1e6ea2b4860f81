import type { Tx } from '../types.ts';

/** Half-open: from `from` up to `to`. */
export type Period = { from: Date; to: Date };

export type StatementPayout = {
  payout_id: string;
  tenant_id: string;
  tenant: string;
  side: 'shopper' | 'creator';
  user_id: string;
  amount: string;
  currency: string;
  status: string;
  creation_request_id: string;
  gc_id: string | null;
  created_at: Date;
  issued_at: Date | null;
  paid_at: Date | null;
};

/**
 * Payouts for finance: those that were made or paid in the period, oldest first, with what Amazon's own list names them by. Never a code. Runs in
 * `withOperator`.
 */
export async function payoutsOfPeriod(
  tx: Tx,
  params: Period & { tenant_id?: string | undefined; after?: { at: Date; id: string } | undefined; limit: number },
): Promise<StatementPayout[]> {
  const { rows } = await tx.query<StatementPayout>(
    `select p.payout_id, p.tenant_id, t.name as tenant, p.side, p.user_id, p.amount::text, p.currency, p.status, p.creation_request_id, p.gc_id,
       p.created_at, p.issued_at, p.paid_at
     from payouts p join tenants t on t.tenant_id = p.tenant_id
     where ((p.created_at >= $1 and p.created_at < $2) or (p.paid_at >= $1 and p.paid_at < $2)) and ($3::uuid is null or p.tenant_id = $3)
       and ($4::timestamptz is null or (date_trunc('milliseconds', p.created_at), p.payout_id) > ($4, $5::uuid))
     order by date_trunc('milliseconds', p.created_at), p.payout_id limit $6`,
    [
      params.from,
      params.to,
      params.tenant_id ?? null,
      params.after?.at ?? null,
      params.after?.id ?? null,
      params.limit,
    ],
  );
  return rows;
}

export type TenantStatement = {
  tenant: string;
  clicks: bigint;
  conversions: bigint;
  reversals: bigint;
  amounts: {
    currency: string;
    /** Released to shoppers in the period, less what was taken back: the journal's word. */
    shared: string;
    /** The same for the creator. */
    earned: string;
    /** Vouchers bought for the creator in the period, less those cancelled. */
    paid: string;
    /** What the creator is owed at the period's end. */
    balance: string;
  }[];
};

const OWN = `split_part(account, ':', 1)`;
const BUCKET = `split_part(account, ':', 2)`;
const EARNING = `kind in ('release', 'amendment', 'reversal', 'expiry')`;

/**
 * A tenant's month: traffic from the rollups by the days `first` to `last` (YYYY-MM-DD, India's), money from the journal, so that earned less paid is
 * what the balance grew by. Runs in `withTenant`.
 */
export async function tenantStatement(
  tx: Tx,
  params: Period & { tenant_id: string; first: string; last: string },
): Promise<TenantStatement> {
  const { rows } = await tx.query<TenantStatement>(
    `with traffic as (
       select coalesce(sum(clicks), 0)::bigint as clicks, coalesce(sum(conversions), 0)::bigint as conversions
       from daily_rollups where tenant_id = $1 and day between $4::date and $5::date),
     reversed as (
       select count(*) as reversals from ledger
       where tenant_id = $1 and seq = 0 and status = 'reversed' and status_at >= $2 and status_at < $3),
     money as (
       select currency,
         coalesce(sum(amount) filter (where created_at >= $2 and ${OWN} = 'shopper' and ${BUCKET} in ('available', 'receivable') and ${EARNING}), 0) as shared,
         coalesce(sum(amount) filter (where created_at >= $2 and ${OWN} = 'creator' and ${BUCKET} in ('available', 'receivable') and ${EARNING}), 0) as earned,
         coalesce(-sum(amount) filter (where created_at >= $2 and ${OWN} = 'creator' and (kind = 'issue' or event_id in (
           select event_id from journal_entries v where v.tenant_id = $1 and v.kind = 'return' and v.account = 'vouchers:' || $1))), 0) as paid,
         coalesce(sum(amount) filter (where ${OWN} = 'creator' and ${BUCKET} in ('available', 'reserved', 'receivable')), 0) as balance
       from journal_entries where tenant_id = $1 and created_at < $3 and ${OWN} in ('shopper', 'creator')
       group by currency)
     select (select name from tenants where tenant_id = $1) as tenant, clicks, conversions, reversals,
       coalesce((select jsonb_agg(jsonb_build_object('currency', currency, 'shared', shared::numeric(14,2)::text, 'earned', earned::numeric(14,2)::text,
         'paid', paid::numeric(14,2)::text, 'balance', balance::numeric(14,2)::text) order by currency) from money), '[]') as amounts
     from traffic, reversed`,
    [params.tenant_id, params.from, params.to, params.first, params.last],
  );
  const [statement] = rows;
  if (statement === undefined) throw new Error('an aggregate without a row');
  return statement;
}
