import { storableJson } from '../../domain/text.ts';
import type { Tx } from '../types.ts';

/** A message that no consumer could take. `at` in milliseconds since the Unix epoch. */
export type DeadLetter = {
  id: string;
  queue: string;
  messageId: string;
  body: unknown;
  reason: string;
  attempts: number;
  at: number;
};

/** Keeps dead letters; one that is kept already stays as it is. */
export async function insertDeadLetters(tx: Tx, letters: readonly DeadLetter[]): Promise<void> {
  await tx.query(
    `insert into dead_letters (dead_letter_id, queue, message_id, body, reason, attempts, created_at)
     select r.id, r.queue, r."messageId", coalesce(r.body, 'null'::jsonb), r.reason, r.attempts, to_timestamp(r.at / 1000.0)
     from jsonb_to_recordset($1::jsonb) as r(id uuid, queue text, "messageId" text, body jsonb, reason text, attempts int, at numeric)
     on conflict (queue, message_id) do nothing`,
    [JSON.stringify(storableJson(letters))],
  );
}

/** How many dead letters are unresolved, counted no further than `most`. */
export async function countUnresolved(tx: Tx, most: number): Promise<number> {
  const { rows } = await tx.query<{ count: bigint }>(
    'select count(*) as count from (select 1 from dead_letters where resolved_at is null limit $1) d',
    [most],
  );
  return Number(rows[0]?.count ?? 0n);
}

/** Which dead letters: all that match every part given. `before` in milliseconds since the Unix epoch. */
export type DeadLetterFilter = { id?: string; queue?: string; before?: number };

/**
 * Asks for the replay of the unresolved ones; the schedule `rematch` sends them.
 * @param at milliseconds since the Unix epoch
 * @returns how many were asked for now
 */
export async function requestReplay(tx: Tx, filter: DeadLetterFilter, at: number): Promise<number> {
  const { rowCount } = await tx.query(
    `update dead_letters set replay_requested_at = $1
     where resolved_at is null and replay_requested_at is null
       and ($2::uuid is null or dead_letter_id = $2) and ($3::text is null or queue = $3) and ($4::timestamptz is null or created_at < $4)`,
    [
      new Date(at),
      filter.id ?? null,
      filter.queue ?? null,
      filter.before === undefined ? null : new Date(filter.before),
    ],
  );
  return rowCount;
}

export type ReplayableLetter = { dead_letter_id: string; queue: string; body: unknown };

/** The next ones whose replay was asked for, locked; another run passes them by. */
export async function claimReplays(tx: Tx, limit: number): Promise<ReplayableLetter[]> {
  const { rows } = await tx.query<ReplayableLetter>(
    `select dead_letter_id, queue, body from dead_letters where replay_requested_at is not null and resolved_at is null
     order by replay_requested_at, dead_letter_id limit $1 for update skip locked`,
    [limit],
  );
  return rows;
}

/** Marks dead letters as sent back to their queue. `at` in milliseconds since the Unix epoch. */
export async function markReplayed(tx: Tx, ids: readonly string[], at: number): Promise<void> {
  await tx.query('update dead_letters set resolved_at = $2 where dead_letter_id = any($1::uuid[])', [
    ids,
    new Date(at),
  ]);
}

/** Forgets the request for a replay that cannot be carried out. */
export async function dropReplays(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query('update dead_letters set replay_requested_at = null where dead_letter_id = any($1::uuid[])', [ids]);
}

export type DeadLetterRow = {
  dead_letter_id: string;
  queue: string;
  message_id: string;
  reason: string;
  attempts: number;
  created_at: Date;
  replay_requested_at: Date | null;
};

/** The oldest unresolved dead letters, and how many there are in all. */
export async function listUnresolved(
  tx: Tx,
  filter: DeadLetterFilter,
  limit: number,
): Promise<{ rows: DeadLetterRow[]; total: number }> {
  const { rows } = await tx.query<DeadLetterRow & { total: bigint }>(
    `select dead_letter_id, queue, message_id, reason, attempts, created_at, replay_requested_at, count(*) over () as total from dead_letters
     where resolved_at is null
       and ($1::uuid is null or dead_letter_id = $1) and ($2::text is null or queue = $2) and ($3::timestamptz is null or created_at < $3)
     order by created_at, dead_letter_id limit $4`,
    [filter.id ?? null, filter.queue ?? null, filter.before === undefined ? null : new Date(filter.before), limit],
  );
  return { rows, total: Number(rows[0]?.total ?? 0n) };
}
