import { createdApiKey, newApiKey } from '@hissaback/shared/contracts/api-keys';
import { insertApiKey, MAX_API_KEYS } from '@hissaback/shared/db/queries/api-keys';
import { lockTenant } from '@hissaback/shared/db/queries/members';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { hashApiKey, mintApiKey } from '@hissaback/shared/domain/api-key';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { apiKeyView } from './view.ts';

/** `POST /v1/api-keys {name, scopes}` -> the key, shown this once, for the creator's own servers. It has the rights of the member who made it. */
export const createApiKey = new Hono<ApiContext>().post(
  '/v1/api-keys',
  operation({
    id: 'createApiKey',
    summary: 'Make an API key, shown this once',
    answer: createdApiKey,
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  jsonInput(newApiKey),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const at = new Date(clock.now());
    const key = mintApiKey(mintUuid(random), random);
    const key_hash = await hashApiKey(keyringFrom(c.env.API_KEY_KEYS, 'API_KEY_KEYS'), key);
    const row = { key_id: key.keyId, created_by: principal.sub, created_at: at, last_used_at: null };
    const made = await withTenant(db, tenant_id, async (tx) => {
      await lockTenant(tx, { tenant_id });
      await assertMember(tx, principal, tenant_id);
      const { name, scopes } = c.req.valid('json').check();
      if (!(await insertApiKey(tx, { ...row, tenant_id, name, key_hash, scopes, at }))) {
        throw new ProblemError('conflict', { detail: `${MAX_API_KEYS} keys are in use. Revoke one first.` });
      }
      await recordChange(c, tx, {
        tenant_id,
        action: 'api_key.created',
        subject: `api_key:${key.keyId}`,
        details: { scopes },
      });
      return { ...row, name, scopes };
    });
    return c.json({ ...apiKeyView(made), key: key.text });
  },
);
