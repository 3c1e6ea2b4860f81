import type { ClickMessage } from '../../contracts/click-message.ts';
import type { Waiting } from '../../domain/assignment.ts';
import { clickIdTime } from '../../domain/click-id.ts';
import type { Tx } from '../types.ts';
import { addRollups, rollupRows } from './intake-write.ts';

/** A click and the id it is to be stored under; they differ after a collision. */
export type ClickToStore = { click: ClickMessage; id: bigint };

/**
 * Inserts clicks that are new, completes rows that were made from a reference, and counts both in the daily figures. A click whose id
 * belongs to a click of another link or visitor comes back in `collided`; one that another batch was writing at the same moment, in `again`.
 */
export async function insertClicks(
  tx: Tx,
  clicks: readonly ClickToStore[],
  shard: number,
): Promise<{ stored: number; collided: ClickToStore[]; again: ClickToStore[] }> {
  const data = clicks.map(({ click, id }, index) => ({
    ...click,
    i: index,
    id: String(id),
    reference: String(id) === click.click_id ? null : click.click_id,
  }));
  const { rows } = await tx.query<{ i: number; inserted: boolean; same: boolean | null }>(
    `with input as (
       select r.* from jsonb_to_recordset($1::jsonb) as r(i int, id bigint, reference bigint, tenant_id uuid, link_id uuid, visitor_id uuid, country text,
         device text, referrer_host text, sub_id text, source text)
     ),
     inserted as (
       insert into clicks as k (click_id, created_at, tenant_id, link_id, visitor_id, country, device, referrer_host, sub_id, source, reference_click_id)
       select distinct on (id) id, id_time(id), tenant_id, link_id, visitor_id, country, device, referrer_host, sub_id, source, reference
       from input order by id, i
       on conflict (click_id, created_at) do update set country = excluded.country, device = excluded.device, referrer_host = excluded.referrer_host,
         sub_id = excluded.sub_id, source = excluded.source
         where k.source = 'reference' and k.link_id = excluded.link_id and k.visitor_id is not distinct from excluded.visitor_id
       returning k.click_id, k.link_id, k.visitor_id
     )
     select i.i, n.click_id is not null and i.i = (select min(j.i) from input j where j.id = i.id) as inserted,
            case when n.click_id is not null then n.link_id = i.link_id and n.visitor_id is not distinct from i.visitor_id
                 else k.link_id = i.link_id and k.visitor_id is not distinct from i.visitor_id end as same
     from input i
     left join inserted n on n.click_id = i.id
     left join clicks k on k.click_id = i.id and k.created_at = id_time(i.id)
     order by i.i`,
    [JSON.stringify(data)],
  );
  const stored = rows.filter((row) => row.inserted).flatMap((row) => clicks[row.i] ?? []);
  if (stored.length > 0) {
    const rollups = rollupRows(
      stored.map(({ click, id }) => ({
        tenantId: click.tenant_id,
        linkId: click.link_id,
        at: clickIdTime(id),
        clicks: 1,
      })),
    );
    await tx.query(addRollups('$1', '$2'), [JSON.stringify({ rollups }), shard]);
  }
  return {
    stored: stored.length,
    collided: rows.filter((row) => !row.inserted && row.same === false).flatMap((row) => clicks[row.i] ?? []),
    again: rows.filter((row) => !row.inserted && row.same === null).flatMap((row) => clicks[row.i] ?? []),
  };
}

/** Open unmatched postbacks that name one of these clicks. */
export async function unmatchedOfClicks(tx: Tx, clickIds: readonly bigint[]): Promise<Waiting[]> {
  const { rows } = await tx.query<Waiting>(
    `select unmatched_id, raw, source, assignment from unmatched_conversions
     where status = 'open' and reason = 'unknown_click' and click_id = any($1::bigint[])`,
    [clickIds],
  );
  return rows;
}
