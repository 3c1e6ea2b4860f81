import type { PayeeKey } from '../../domain/settlement.ts';
import type { Tx } from '../types.ts';
import { RECIPIENT } from './payouts.ts';

/** True if a payout of the payee was made since `since` (milliseconds since the Unix epoch), one that was not taken back. */
export async function wasPaidSince(tx: Tx, key: PayeeKey, since: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select 1 from payouts where tenant_id = $1 and side = $2 and payee = $3 and currency = $4 and created_at >= $5
       and status not in ('cancelled', 'error_hard') limit 1`,
    [key.tenantId, key.side, key.payee, key.currency, new Date(since)],
  );
  return rowCount === 1;
}

/** Keeps in mind that a creator's round could not pay all, for want of a PAN. @param at milliseconds since the Unix epoch */
export async function holdForKyc(tx: Tx, key: PayeeKey, at: number): Promise<void> {
  await tx.query(
    'insert into creator_kyc_holds (tenant_id, currency, held_at) values ($1, $2, $3) on conflict do nothing',
    [key.tenantId, key.currency, new Date(at)],
  );
}

/** Nothing of the creator's waits for a PAN any more. */
export async function endKycHold(tx: Tx, key: PayeeKey): Promise<void> {
  await tx.query('delete from creator_kyc_holds where tenant_id = $1 and currency = $2', [key.tenantId, key.currency]);
}

/** Creators who waited for a PAN that is known by now, whoever receives the tenant's vouchers today; or all who wait, where no limit is set any more. */
export async function releasableKycHolds(
  tx: Tx,
  params: { isLimited: boolean; after: PayeeKey | null; limit: number },
): Promise<PayeeKey[]> {
  const { rows } = await tx.query<{ tenantId: string; currency: string }>(
    `select a.tenant_id as "tenantId", a.currency
     from creator_kyc_holds h
     join payee_accounts a on a.tenant_id = h.tenant_id and a.side = 'creator' and a.payee = h.tenant_id and a.currency = h.currency
     where (not $1::boolean or exists (select 1 from users u where u.user_id = ${RECIPIENT} and u.kyc_hash is not null))
       and ($2::uuid is null or (a.tenant_id, a.currency) > ($2::uuid, $3::text))
     order by a.tenant_id, a.currency limit $4`,
    [params.isLimited, params.after?.tenantId ?? null, params.after?.currency ?? null, params.limit],
  );
  return rows.map((row) => ({ ...row, side: 'creator', payee: row.tenantId }));
}

export type CreatorBalance = {
  currency: string;
  available: string;
  reserved: string;
  receivable: string;
  /** Vouchers delivered, ever. */
  paid: string;
  /** Part of it waits for the owner's PAN. */
  is_held: boolean;
};

/** What a tenant has earned and not been paid, and what it was paid, by currency. Runs in `withTenant`. */
export async function creatorBalances(tx: Tx, params: { tenant_id: string }): Promise<CreatorBalance[]> {
  const { rows } = await tx.query<CreatorBalance>(
    `select a.currency, a.available::text, a.reserved::text, a.receivable::text,
       (select coalesce(sum(p.amount), 0)::numeric(14,2)::text from payouts p
        where p.tenant_id = a.tenant_id and p.side = 'creator' and p.currency = a.currency and p.status = 'paid') as paid,
       exists (select 1 from creator_kyc_holds h where h.tenant_id = a.tenant_id and h.currency = a.currency) as is_held
     from payee_accounts a where a.tenant_id = $1 and a.side = 'creator' order by a.currency`,
    [params.tenant_id],
  );
  return rows;
}
