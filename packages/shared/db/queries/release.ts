import type { Conversion } from '../../domain/conversion.ts';
import type { Tx } from '../types.ts';
import { loadConversionsById } from './intake.ts';

/** When the last whole poll of the network began, in milliseconds since the Unix epoch; null before the first. */
export async function lastPoll(tx: Tx): Promise<number | null> {
  const { rows } = await tx.query<{ polled_from: string | null }>(
    `select watermark ->> 'polled_from' as polled_from from schedule_runs where name = 'reconcile'`,
  );
  const text = rows[0]?.polled_from ?? null;
  return text === null ? null : Number(text);
}

/**
 * Locks conversions with a reward whose cool-off ended by `until` (milliseconds since the Unix epoch); those that another run or the
 * consumer holds are passed by.
 */
export async function claimReleasable(tx: Tx, due: { until: number; limit: number }): Promise<bigint[]> {
  const { rows } = await tx.query<{ conv_id: bigint }>(
    `select i.conv_id from conversion_identities i
     where i.status = 'approved' and i.conv_id in (
       select l.conv_id from ledger l
       join conversions c on c.conv_id = l.conv_id and c.created_at = l.created_at and c.status = 'approved'
       where l.status = 'pending' and l.seq = 0 and l.release_at <= $1 and l.user_id is not null
       order by l.release_at limit $2)
     order by i.conv_id for update skip locked`,
    [new Date(due.until), due.limit],
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
