import type { Tx } from '../types.ts';

/** How long one worker may take to call the pager before another does, in milliseconds. */
const CALLING_MS = 60_000;

/**
 * Asks for the right to page about `name`: true once an incident, and again only if whoever got it did not say `incidentPaged` within a minute.
 * @param at milliseconds since the Unix epoch
 */
export async function openIncident(tx: Tx, name: string, at: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into schedule_runs as s (name, lease_until, watermark) values ($1, $2, '{}')
     on conflict (name) do update set lease_until = excluded.lease_until
       where not s.watermark ? 'paged_at' and (s.lease_until is null or s.lease_until <= $3)`,
    [`incident:${name}`, new Date(at + CALLING_MS), new Date(at)],
  );
  return rowCount === 1;
}

/** The pager has been called. */
export async function incidentPaged(tx: Tx, name: string, at: number): Promise<void> {
  await tx.query(
    `update schedule_runs set watermark = jsonb_build_object('paged_at', $2::bigint), lease_until = null where name = $1`,
    [`incident:${name}`, at],
  );
}

/** True if an incident of that name is open and was paged. */
export async function isIncidentOpen(tx: Tx, name: string): Promise<boolean> {
  const { rowCount } = await tx.query(`select 1 from schedule_runs where name = $1 and watermark ? 'paged_at'`, [
    `incident:${name}`,
  ]);
  return rowCount === 1;
}

export async function closeIncident(tx: Tx, name: string): Promise<void> {
  await tx.query(`update schedule_runs set watermark = '{}', lease_until = null where name = $1`, [`incident:${name}`]);
}
