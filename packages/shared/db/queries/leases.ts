import type { Tx } from '../types.ts';

/**
 * Takes the lease of a schedule, or prolongs one's own: of two runs at once only one works (fault 34).
 * @param at now; `until` when it ends by itself; both in milliseconds since the Unix epoch
 * @returns false while another run holds it
 */
export async function holdLease(
  tx: Tx,
  lease: { name: string; token: string; at: number; until: number },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into schedule_runs as s (name, lease_token, lease_until) values ($1, $2, $3)
     on conflict (name) do update set lease_token = excluded.lease_token, lease_until = excluded.lease_until
       where s.lease_until is null or s.lease_until <= $4 or s.lease_token = $2`,
    [lease.name, lease.token, new Date(lease.until), new Date(lease.at)],
  );
  return rowCount === 1;
}

/** Gives the lease back, if it is still one's own. */
export async function freeLease(tx: Tx, lease: { name: string; token: string }): Promise<void> {
  await tx.query(
    'update schedule_runs set lease_until = null, lease_token = null where name = $1 and lease_token = $2',
    [lease.name, lease.token],
  );
}
