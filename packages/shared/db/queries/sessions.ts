import type { Tx } from '../types.ts';

export type SessionRow = { session_id: string; device: string; created_at: Date; last_used_at: Date };

/** Sessions one person may have at once; the least recently used make way. */
export const MAX_SESSIONS = 50;

/**
 * Writes a login down and the user's activity with it. Sessions too old to matter are forgotten; beyond the most a person may have, the least recently used end:
 * answers their ids, whose tokens are to be revoked. Runs in `withUser`.
 *
 * @param params.deadBefore sessions last used before this time are over
 */
export async function insertSession(
  tx: Tx,
  params: {
    session_id: string;
    user_id: string;
    device: string;
    scope_tenant: string | null;
    deadBefore: Date;
    at: Date;
  },
): Promise<string[]> {
  const { session_id, user_id, device, scope_tenant, deadBefore, at } = params;
  await tx.query('delete from sessions where user_id = $1 and last_used_at < $2', [user_id, deadBefore]);
  await tx.query(
    `insert into sessions (session_id, user_id, device, scope_tenant, created_at, last_used_at) values ($1, $2, $3, $4, $5, $5)`,
    [session_id, user_id, device, scope_tenant, at],
  );
  await touchUser(tx, { user_id, at });
  const { rows } = await tx.query<{ session_id: string }>(
    `update sessions set revoked_at = $2 where user_id = $1 and session_id in (
       select session_id from sessions where user_id = $1 and revoked_at is null and session_id <> $3
       order by last_used_at desc, session_id offset $4)
     returning session_id`,
    [user_id, at, session_id, MAX_SESSIONS - 1],
  );
  return rows.map((row) => row.session_id);
}

/** The session's chosen tenant (null: none), or undefined if the session is over or its user is gone. Runs in `withUser`. */
export async function sessionScope(
  tx: Tx,
  params: { session_id: string; user_id: string },
): Promise<string | null | undefined> {
  const { rows } = await tx.query<{ scope_tenant: string | null }>(
    `select s.scope_tenant from sessions s join users u on u.user_id = s.user_id
     where s.session_id = $1 and s.user_id = $2 and s.revoked_at is null and u.deleted_at is null`,
    [params.session_id, params.user_id],
  );
  return rows[0]?.scope_tenant;
}

/** Notes that a session was refreshed, and the tenant it works for. Runs in `withUser`. */
export async function touchSession(
  tx: Tx,
  params: { session_id: string; user_id: string; scope_tenant: string | null; at: Date },
): Promise<void> {
  await tx.query(
    `update sessions set last_used_at = greatest(last_used_at, $4), scope_tenant = $3 where session_id = $1 and user_id = $2`,
    [params.session_id, params.user_id, params.scope_tenant, params.at],
  );
  await touchUser(tx, params);
}

/** The sessions of the transaction's user that are not over, the one used last first. Runs in `withUser`. */
export async function liveSessions(tx: Tx, params: { user_id: string; deadBefore: Date }): Promise<SessionRow[]> {
  const { rows } = await tx.query<SessionRow>(
    `select session_id, device, created_at, last_used_at from sessions
     where user_id = $1 and revoked_at is null and last_used_at >= $2 order by last_used_at desc, session_id`,
    [params.user_id, params.deadBefore],
  );
  return rows;
}

/** Marks a session as ended; false if the user has no such session. Safe to repeat. Runs in `withUser`. */
export async function endSession(tx: Tx, params: { session_id: string; user_id: string; at: Date }): Promise<boolean> {
  const { rowCount } = await tx.query(
    'update sessions set revoked_at = coalesce(revoked_at, $3) where session_id = $1 and user_id = $2',
    [params.session_id, params.user_id, params.at],
  );
  return rowCount === 1;
}

/**
 * Marks all sessions as ended and answers their ids. Those that ended within the last day are among them: if their tokens could not be revoked then, a repetition
 * does it. Runs in `withUser`.
 */
export async function endSessions(tx: Tx, params: { user_id: string; at: Date }): Promise<string[]> {
  const { rows } = await tx.query<{ session_id: string }>(
    `update sessions set revoked_at = coalesce(revoked_at, $2)
     where user_id = $1 and (revoked_at is null or revoked_at > $2::timestamptz - interval '1 day') returning session_id`,
    [params.user_id, params.at],
  );
  return rows.map((row) => row.session_id);
}

async function touchUser(tx: Tx, params: { user_id: string; at: Date }): Promise<void> {
  await tx.query('update users set last_active_at = greatest(last_active_at, $2) where user_id = $1', [
    params.user_id,
    params.at,
  ]);
}
