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
    [JSON.stringify(letters)],
  );
}
