import type { Context } from 'hono';
import { findApiKey, touchApiKey } from '../db/queries/api-keys.ts';
import { isApiKeyOf, parseApiKey, SCOPES } from '../domain/api-key.ts';
import { keyringFrom } from '../domain/keyring.ts';
import type { Principal } from './access-token.ts';
import type { AuthContext } from './auth-context.ts';

/** `last_used_at` moves once in this many milliseconds: a busy key must not write at every request. */
const TOUCH_EVERY_MS = 60_000;

/** Who an API key speaks for: a creator of its tenant, with the rights of the member who made it and its own scopes. Null for no live key. */
export async function principalOfApiKey(c: Context<AuthContext>, text: string): Promise<Principal | null> {
  const key = parseApiKey(text);
  if (key === null) return null;
  const now = c.var.clock.now();
  const ring = keyringFrom(c.env.API_KEY_KEYS, 'API_KEY_KEYS');
  const found = await c.var.db.transaction(async (tx) => {
    const row = await findApiKey(tx, { key_id: key.keyId });
    if (row === null || !(await isApiKeyOf(ring, key, row.key_hash))) return null;
    const isStale = row.last_used_at === null || row.last_used_at.getTime() <= now - TOUCH_EVERY_MS;
    if (isStale) await touchApiKey(tx, { key_id: key.keyId, at: new Date(now) });
    return row;
  });
  if (found === null) return null;
  return {
    sub: found.created_by,
    role: 'creator',
    tenantId: found.tenant_id,
    sessionId: null,
    scopes: SCOPES.filter((scope) => found.scopes.includes(scope)),
    jti: key.keyId,
    expiresAt: Number.MAX_SAFE_INTEGER,
  };
}
