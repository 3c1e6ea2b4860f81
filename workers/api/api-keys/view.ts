import type { ApiKeyView } from '@hissaback/shared/contracts/api-keys';
import type { ApiKeyRow } from '@hissaback/shared/db/queries/api-keys';

/** An API key as the API shows it, without the key. */
export function apiKeyView(row: ApiKeyRow): ApiKeyView {
  return {
    key_id: row.key_id,
    name: row.name,
    scopes: row.scopes,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
  };
}
