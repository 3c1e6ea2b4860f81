import type { Conversion } from '../../domain/conversion.ts';
import type { Destination } from '../../domain/expiry.ts';
import type { Tx } from '../types.ts';
import { loadConversionsById, lockClicks } from './intake.ts';

/** Rewards that may have expired: what names the locks to be taken for them. */
export type UnclaimedRow = { conv_id: bigint; click_id: bigint; visitor_id: string | null };

/**
 * Rewards without a shopper whose conversion is older than `before`, approved and out of its cool-off at `now`; oldest first. Those of a visitor who has
 * logged in are the shopper's, whether the claim has been seen to or not. Nothing is locked.
 * Times in milliseconds since the Unix epoch.
 */
export async function findUnclaimed(
  tx: Tx,
  params: { before: number; now: number; limit: number },
): Promise<UnclaimedRow[]> {
  const { rows } = await tx.query<UnclaimedRow>(
    `select l.conv_id, i.click_id, i.visitor_id from ledger l
     join conversion_identities i on i.conv_id = l.conv_id
     where l.status = 'pending' and l.seq = 0 and l.user_id is null and i.status = 'approved' and l.created_at < $1 and l.release_at <= $2
       and not exists (select 1 from visitors v where v.visitor_id = i.visitor_id and v.user_id is not null)
     order by l.created_at, l.conv_id limit $3`,
    [new Date(params.before), new Date(params.now), params.limit],
  );
  return rows;
}

/**
 * Takes the locks of a claim (visitor, then conversions) and answers those that still wait for a shopper: a login at the same moment has either
 * attached them already or will find them expired (money rule 8).
 */
export async function lockUnclaimed(
  tx: Tx,
  found: readonly UnclaimedRow[],
  params: { before: number; now: number },
): Promise<Conversion[]> {
  await lockClicks(tx, {
    clickIds: [...new Set(found.map((row) => row.click_id))],
    visitorIds: [...new Set(found.flatMap((row) => row.visitor_id ?? []))],
    networkIds: [],
  });
  const conversions = await loadConversionsById(
    tx,
    found.map((row) => row.conv_id),
  );
  const bound = await tx.query<{ visitor_id: string }>(
    'select visitor_id from visitors where visitor_id = any($1::uuid[]) and user_id is not null',
    [found.flatMap((row) => row.visitor_id ?? [])],
  );
  const isBound = new Set<string | null>(bound.rows.map((row) => row.visitor_id));
  return conversions.filter(
    (c) =>
      c.userId === null &&
      !isBound.has(c.visitorId) &&
      c.status === 'approved' &&
      c.occurredAt < params.before &&
      c.releaseAt <= params.now &&
      c.ledger.some((row) => row.seq === 0 && row.status === 'pending'),
  );
}

/** Notes who has the shopper's part of expired rewards; the first time stands. */
export async function markExpired(tx: Tx, convIds: readonly bigint[], to: Destination): Promise<void> {
  await tx.query(
    'update conversion_identities set expired_to = $2 where conv_id = any($1::bigint[]) and expired_to is null',
    [convIds, to],
  );
}
