import type { Tx } from '../types.ts';

export type IdempotencyClaim = {
  /** True: the key is this transaction's, if it commits. */
  claimed: boolean;
  fingerprint: string;
  /** The sealed answer of the request that took the key before; null while that one runs. */
  answer: string | null;
};

/**
 * Takes a key for the transaction's work, or says who has it. Waits for another transaction that is taking it, up to the lock timeout (SQLSTATE 55P03).
 * `key_id` and `fingerprint` are SHA-256 in base64url.
 */
export async function claimIdempotencyKey(
  tx: Tx,
  params: { key_id: string; fingerprint: string; at: Date; expires_at: Date },
): Promise<IdempotencyClaim> {
  const { rows } = await tx.query<IdempotencyClaim>('select * from claim_idempotency_key($1, $2, $3, $4)', [
    params.key_id,
    params.fingerprint,
    params.at,
    params.expires_at,
  ]);
  const [claim] = rows;
  if (claim === undefined) throw new Error('claim_idempotency_key returned nothing');
  return claim;
}

/** A key that somebody has taken, with the sealed answer once there is one; null for a free one. */
export async function findIdempotencyKey(
  tx: Tx,
  params: { key_id: string },
): Promise<{ answer: string | null } | null> {
  const { rows } = await tx.query<{ answer: string | null }>('select answer from find_idempotency_key($1)', [
    params.key_id,
  ]);
  return rows[0] ?? null;
}

/** Keeps the answer of the request that took the key; the first one stands. */
export async function answerIdempotencyKey(tx: Tx, params: { key_id: string; answer: string }): Promise<void> {
  await tx.query('select answer_idempotency_key($1, $2)', [params.key_id, params.answer]);
}

/** Gives a key back that has no answer yet. */
export async function releaseIdempotencyKey(tx: Tx, params: { key_id: string }): Promise<void> {
  await tx.query('select release_idempotency_key($1)', [params.key_id]);
}
