import { endWaiting, removeEndpoint } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `DELETE /v1/webhooks/:endpoint_id`: for good, with its secrets. */
export const removeWebhook = new Hono<ApiContext>().delete(
  '/v1/webhooks/:endpoint_id',
  operation({ id: 'removeWebhook', summary: 'Remove an endpoint', answer: { 204: { description: 'Removed' } } }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const endpoint_id = pathId(c.req.param('endpoint_id'));
    const tenant_id = ownTenant(principal, undefined);
    await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const removed = await removeEndpoint(tx, { tenant_id, endpoint_id, at: new Date(clock.now()) });
      if (!removed) throw new ProblemError('not_found');
      await endWaiting(tx, { tenant_id, endpoint_id });
      await recordChange(c, tx, { tenant_id, action: 'webhook.removed', subject: `webhook:${endpoint_id}` });
    });
    return c.body(null, 204);
  },
);
