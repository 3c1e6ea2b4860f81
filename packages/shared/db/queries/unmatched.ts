import type { EventSource } from '../../contracts/postback-message.ts';
import type { Assignment, Waiting } from '../../domain/assignment.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

/** An unmatched postback as operators see it. */
export type UnmatchedView = {
  unmatched_id: bigint;
  tenant_id: string | null;
  reason: string;
  raw: Record<string, string>;
  source: EventSource;
  status: 'open' | 'matched' | 'dismissed';
  conv_id: bigint | null;
  received_at: Date;
  resolved_at: Date | null;
  resolution: string | null;
  assignment: Assignment | null;
  assigned_at: Date | null;
  at: bigint;
};

const VIEW = `unmatched_id, tenant_id, reason, raw, source, status, conv_id, received_at, resolved_at, resolution, assignment, assigned_at,
  ${microsecondsOf('received_at')} as at`;

/** Unmatched postbacks, newest first, from behind `after`. Runs in `withOperator`. */
export async function listUnmatched(
  tx: Tx,
  params: {
    status: UnmatchedView['status'];
    reason?: string | undefined;
    after?: { at: bigint; id: bigint } | undefined;
    limit: number;
  },
): Promise<UnmatchedView[]> {
  const { rows } = await tx.query<UnmatchedView>(
    `select ${VIEW} from unmatched_conversions
     where status = $1 and ($2::text is null or reason = $2)
       and ($3::bigint is null or (received_at, unmatched_id) < (${fromMicroseconds('$3')}, $4::bigint))
     order by received_at desc, unmatched_id desc limit $5`,
    [params.status, params.reason ?? null, params.after?.at ?? null, params.after?.id ?? null, params.limit],
  );
  return rows;
}

/** One of them, locked, for whoever decides about it. */
export async function lockUnmatched(tx: Tx, unmatchedId: bigint): Promise<UnmatchedView | null> {
  const { rows } = await tx.query<UnmatchedView>(
    `select ${VIEW} from unmatched_conversions where unmatched_id = $1 for update`,
    [unmatchedId],
  );
  return rows[0] ?? null;
}

/** Writes an assignment down; `rematch` sends it should its sending be lost. `at` in milliseconds since the Unix epoch. */
export async function assignUnmatched(
  tx: Tx,
  params: { unmatchedId: bigint; assignment: Assignment; at: number },
): Promise<void> {
  await tx.query('update unmatched_conversions set assignment = $2, assigned_at = $3 where unmatched_id = $1', [
    params.unmatchedId,
    JSON.stringify(params.assignment),
    new Date(params.at),
  ]);
}

/** Puts an unmatched postback aside: it is no conversion of ours. `at` in milliseconds since the Unix epoch. */
export async function dismissUnmatched(
  tx: Tx,
  params: { unmatchedId: bigint; by: string; reason: string; at: number },
): Promise<void> {
  await tx.query(
    `update unmatched_conversions set status = 'dismissed', resolved_at = $4, resolved_by = $2, resolution = $3 where unmatched_id = $1`,
    [params.unmatchedId, params.by, params.reason, new Date(params.at)],
  );
}

/**
 * Open ones that may be matched by now: their click has arrived, their offer has been synced, or an assignment was not taken yet.
 * One that was tried and refused for another reason carries that reason, and is not tried for ever.
 */
export async function unmatchedToRetry(tx: Tx, limit: number): Promise<Waiting[]> {
  const { rows } = await tx.query<Waiting>(
    `select u.unmatched_id, u.raw, u.source, u.assignment from unmatched_conversions u
     where u.status = 'open' and (
       u.reason = 'unknown_click' and u.click_id is not null
         and exists (select 1 from clicks k where k.click_id = u.click_id and k.created_at = id_time(u.click_id))
       or u.reason = 'unknown_offer' and exists (
         select 1 from offers o where o.offer_id::text = coalesce(u.raw ->> 'offer_id', u.raw ->> 'campaign_id'))
       or u.assigned_at is not null and not exists (
         select 1 from postbacks p where p.postback_id = u.unmatched_id and p.received_at = id_time(u.unmatched_id) and p.processed_at > u.assigned_at))
     order by u.received_at limit $1`,
    [limit],
  );
  return rows;
}

/** True for the id of a click that is stored. */
export async function isClick(tx: Tx, clickId: bigint): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from clicks where click_id = $1 and created_at = id_time($1)', [
    clickId,
  ]);
  return rowCount === 1;
}

/** True for the id of a link of any tenant. Runs in `withOperator`. */
export async function isLink(tx: Tx, linkId: string): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from links where link_id = $1', [linkId]);
  return rowCount === 1;
}

/** True for somebody's id. Runs in `withOperator`. */
export async function isUser(tx: Tx, userId: string): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from users where user_id = $1', [userId]);
  return rowCount === 1;
}
