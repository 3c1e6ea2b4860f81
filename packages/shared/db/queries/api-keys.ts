import type { Scope } from '../../domain/api-key.ts';
import type { Tx } from '../types.ts';

export type ApiKeyRow = {
  key_id: string;
  name: string;
  scopes: Scope[];
  created_by: string;
  created_at: Date;
  last_used_at: Date | null;
};

/** Keys a tenant may have in use at once. */
export const MAX_API_KEYS = 50;

/** A live key and the hash of its secret, by its public part; null if it was revoked or its maker is no member any more. Runs before any tenant is known. */
export async function findApiKey(
  tx: Tx,
  params: { key_id: string },
): Promise<{
  tenant_id: string;
  created_by: string;
  key_hash: string;
  scopes: string[];
  last_used_at: Date | null;
} | null> {
  type Row = NonNullable<Awaited<ReturnType<typeof findApiKey>>>;
  const { rows } = await tx.query<Row>(
    'select tenant_id, created_by, key_hash, scopes, last_used_at from find_api_key($1)',
    [params.key_id],
  );
  return rows[0] ?? null;
}

/** Notes that a key was used. */
export async function touchApiKey(tx: Tx, params: { key_id: string; at: Date }): Promise<void> {
  await tx.query('select touch_api_key($1, $2)', [params.key_id, params.at]);
}

/** Writes a key down, unless the tenant has its fill. The tenant is locked (`lockTenant`). Runs in `withTenant`. */
export async function insertApiKey(
  tx: Tx,
  params: {
    key_id: string;
    tenant_id: string;
    name: string;
    key_hash: string;
    scopes: readonly Scope[];
    created_by: string;
    at: Date;
  },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into api_keys (key_id, tenant_id, name, key_hash, scopes, created_by, created_at)
     select $1, $2, $3, $4, $5, $6, $7
     where (select count(*) from api_keys where tenant_id = $2 and revoked_at is null) < $8`,
    [
      params.key_id,
      params.tenant_id,
      params.name,
      params.key_hash,
      params.scopes,
      params.created_by,
      params.at,
      MAX_API_KEYS,
    ],
  );
  return rowCount === 1;
}

/** The tenant's keys in use, newest first. Runs in `withTenant`. */
export async function listApiKeys(tx: Tx, params: { tenant_id: string }): Promise<ApiKeyRow[]> {
  const { rows } = await tx.query<ApiKeyRow>(
    `select key_id, name, scopes, created_by, created_at, last_used_at from api_keys
     where tenant_id = $1 and revoked_at is null order by created_at desc, key_id`,
    [params.tenant_id],
  );
  return rows;
}

/**
 * Revokes a key, or answers why not. Runs in `withTenant`.
 *
 * @param params.of only if this user made it
 */
export async function revokeApiKey(
  tx: Tx,
  params: { tenant_id: string; key_id: string; of?: string | undefined; at: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update api_keys set revoked_at = $3
     where tenant_id = $1 and key_id = $2 and revoked_at is null and ($4::uuid is null or created_by = $4)`,
    [params.tenant_id, params.key_id, params.at, params.of ?? null],
  );
  return rowCount === 1;
}

/** Revokes every key that a member made. Runs in `withTenant`. */
export async function revokeApiKeysOf(tx: Tx, params: { tenant_id: string; user_id: string; at: Date }): Promise<void> {
  await tx.query(
    'update api_keys set revoked_at = $3 where tenant_id = $1 and created_by = $2 and revoked_at is null',
    [params.tenant_id, params.user_id, params.at],
  );
}
