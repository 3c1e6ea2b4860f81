import { networkAlias } from '../../domain/intake.ts';
import type { Tx } from '../types.ts';

/**
 * Which of the network's rows (by index) say nothing new: their conversion is known by the network's id with the same status and the
 * same payout (or is lost here and there), or it waits among the unmatched as it is.
 */
export async function alreadyAsListed(tx: Tx, rows: readonly Record<string, string>[]): Promise<Set<number>> {
  const { rows: known } = await tx.query<{ i: number }>(
    `select r.i from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[]) as r(i, alias, status, payout, txn_id)
     join conversion_aliases a on a.alias = r.alias
     join conversion_identities i on i.conv_id = a.conv_id
     where i.status = r.status and (i.txn_id is not null or coalesce(r.txn_id, '') = '')
       and (i.status in ('cancelled', 'rejected')
            or (r.payout ~ '^[0-9]{1,11}([.][0-9]{1,6})?$' and trunc(r.payout::numeric, 2) = i.net_commission + i.platform_fee))
     union
     select r.i from unnest($1::int[], $3::text[], $4::text[], $6::text[]) as r(i, status, payout, network_id)
     where r.network_id <> '' and exists (
       select 1 from unmatched_conversions u
       where u.raw ->> '_id' = r.network_id and lower(u.raw ->> 'status') = r.status and coalesce(u.raw ->> 'payout', '') = r.payout
         and u.status <> 'matched')`,
    [
      rows.map((_, index) => index),
      rows.map((row) => networkAlias(row._id ?? '')),
      rows.map((row) => (row.status ?? '').toLowerCase()),
      rows.map((row) => row.payout ?? ''),
      rows.map((row) => row.txn_id ?? ''),
      rows.map((row) => row._id ?? ''),
    ],
  );
  return new Set(known.map((row) => row.i));
}
