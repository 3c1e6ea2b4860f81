import { revokeApiKey } from '@hissaback/shared/db/queries/api-keys';
import { membership } from '@hissaback/shared/db/queries/tenants';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `DELETE /v1/api-keys/:key_id`: refused from the next request on. A member revokes their own keys, an owner all of the tenant's. */
export const revokeApiKeyRoute = new Hono<ApiContext>().delete(
  '/v1/api-keys/:key_id',
  operation({ id: 'revokeApiKey', summary: 'Revoke an API key', answer: { 204: { description: 'Done' } } }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const key_id = pathId(c.req.param('key_id'));
    const at = new Date(clock.now());
    await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const isOwner = (await membership(tx, { tenant_id, user_id: principal.sub })) === 'owner';
      const isRevoked = await revokeApiKey(tx, { tenant_id, key_id, of: isOwner ? undefined : principal.sub, at });
      if (!isRevoked) throw new ProblemError('not_found');
      await recordChange(c, tx, { tenant_id, action: 'api_key.revoked', subject: `api_key:${key_id}` });
    });
    return c.body(null, 204);
  },
);
