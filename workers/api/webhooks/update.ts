import { endpoint, endpointChange } from '@hissaback/shared/contracts/webhooks';
import { endpointById, endWaiting, updateEndpoint } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { assertTarget } from './target.ts';
import { endpointView } from './view.ts';

/** `PATCH /v1/webhooks/:endpoint_id {url?, description?, events?, status?}`. Disabled, what waits for it ends, and can be replayed later. */
export const updateWebhook = new Hono<ApiContext>().patch(
  '/v1/webhooks/:endpoint_id',
  operation({ id: 'updateWebhook', summary: 'Change, disable or enable an endpoint', answer: endpoint }),
  authenticate(['creator']),
  jsonInput(endpointChange),
  async (c) => {
    const { principal, clock, db } = c.var;
    const endpoint_id = pathId(c.req.param('endpoint_id'));
    const tenant_id = ownTenant(principal, undefined);
    const at = new Date(clock.now());
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      if ((await endpointById(tx, { tenant_id, endpoint_id })) === null) throw new ProblemError('not_found');
      const change = c.req.valid('json').check();
      if (change.url !== undefined) assertTarget(change.url, c.env);
      const changed = await updateEndpoint(tx, { tenant_id, endpoint_id, ...change, at });
      if (changed === null) throw new ProblemError('not_found');
      if (change.status === 'disabled') await endWaiting(tx, { tenant_id, endpoint_id });
      const subject = `webhook:${endpoint_id}`;
      await recordChange(c, tx, { tenant_id, action: 'webhook.updated', subject, details: change });
      return changed;
    });
    return c.json(endpointView(row, clock.now()));
  },
);
