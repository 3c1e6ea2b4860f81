import type { Conversion } from '../../domain/conversion.ts';
import type { Tx } from '../types.ts';
import { loadConversionsById } from './intake.ts';

/** When the last poll of the network that was finished began, in milliseconds since the Unix epoch; null before the first. */
export async function lastPoll(tx: Tx): Promise<number | null> {
  const { rows } = await tx.query<{ started_at: Date | null }>(
    'select max(started_at) as started_at from network_polls where finished_at is not null',
  );
  return rows[0]?.started_at?.getTime() ?? null;
}

/** A finished poll that began after the cool-off ended lists the conversion as approved (money rule 10). */
const LISTED = `(i.listed_status = 'approved' and i.listed_at >= l.release_at
  and exists (select 1 from network_polls p where p.started_at = i.listed_at and p.finished_at is not null))`;

/**
 * Locks conversions with a reward whose cool-off ended by `until` (milliseconds since the Unix epoch); those that another run or the
 * consumer holds are passed by, and those of a suspended tenant wait until it is active again.
 * @param due `mustBeListed`: only what a poll has confirmed since (money rule 10)
 */
export async function claimReleasable(
  tx: Tx,
  due: { until: number; limit: number; mustBeListed: boolean },
): Promise<bigint[]> {
  const { rows } = await tx.query<{ conv_id: bigint }>(
    `select i.conv_id from conversion_identities i
     where i.status = 'approved' and i.conv_id in (
       select l.conv_id from ledger l
       join conversion_identities i on i.conv_id = l.conv_id and i.status = 'approved'
       join tenants t on t.tenant_id = l.tenant_id and t.status = 'active'
       where l.status = 'pending' and l.seq = 0 and l.release_at <= $1 and l.user_id is not null and (not $3::bool or ${LISTED})
       order by l.release_at limit $2)
     order by i.conv_id for update skip locked`,
    [new Date(due.until), due.limit, due.mustBeListed],
  );
  return rows.map((row) => row.conv_id);
}

/** The locked conversions, whole, as far as they still are to be released at `now`. */
export async function loadReleasable(tx: Tx, convIds: readonly bigint[], now: number): Promise<Conversion[]> {
  const conversions = await loadConversionsById(tx, convIds);
  return conversions.filter(
    (c) =>
      c.status === 'approved' &&
      c.userId !== null &&
      c.releaseAt <= now &&
      c.ledger.some((row) => row.seq === 0 && row.status === 'pending'),
  );
}

/** Writes the rows that a release moved. `at` in milliseconds since the Unix epoch. */
export async function writeRelease(tx: Tx, conversions: readonly Conversion[], at: number): Promise<void> {
  const rows = conversions.flatMap((c) => c.ledger.filter((row) => row.isChanged).map((row) => ({ c, row })));
  const { rowCount } = await tx.query(
    `update ledger l set status = 'confirmed', reason = null, status_at = $4
     from unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) as r(led_id, tenant_id, created_at)
     where l.led_id = r.led_id and l.tenant_id = r.tenant_id and l.created_at = r.created_at and l.status = 'pending'`,
    [
      rows.map(({ row }) => row.ledId),
      rows.map(({ c }) => c.tenantId),
      rows.map(({ c }) => new Date(c.occurredAt)),
      new Date(at),
    ],
  );
  if (rowCount !== rows.length) throw new Error('a reward was moved by somebody else during its release');
}
