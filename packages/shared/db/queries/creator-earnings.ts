import type { Tx } from '../types.ts';
import type { PayeeKey } from './payee-accounts.ts';

/** True if a payout of the payee was made since `since` (milliseconds since the Unix epoch), one that was not taken back. */
export async function wasPaidSince(tx: Tx, key: PayeeKey, since: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select 1 from payouts where tenant_id = $1 and side = $2 and payee = $3 and currency = $4 and created_at >= $5
       and status not in ('cancelled', 'error_hard') limit 1`,
    [key.tenantId, key.side, key.payee, key.currency, new Date(since)],
  );
  return rowCount === 1;
}
