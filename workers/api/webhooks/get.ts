import { endpoint } from '@hissaback/shared/contracts/webhooks';
import { endpointById } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { endpointView } from './view.ts';

/** `GET /v1/webhooks/:endpoint_id`. */
export const getWebhook = new Hono<ApiContext>().get(
  '/v1/webhooks/:endpoint_id',
  operation({ id: 'getWebhook', summary: 'Read an endpoint', answer: endpoint }),
  authenticate(['creator']),
  async (c) => {
    const endpoint_id = pathId(c.req.param('endpoint_id'));
    const tenant_id = ownTenant(c.var.principal, undefined);
    const row = await withTenant(c.var.db, tenant_id, (tx) => endpointById(tx, { tenant_id, endpoint_id }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(endpointView(row, c.var.clock.now()));
  },
);
