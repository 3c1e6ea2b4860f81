import { endpoints } from '@hissaback/shared/contracts/webhooks';
import { listEndpoints } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { endpointView } from './view.ts';

/** `GET /v1/webhooks`: the tenant's endpoints, oldest first. There are at most ten. */
export const listWebhooks = new Hono<ApiContext>().get(
  '/v1/webhooks',
  operation({ id: 'listWebhooks', summary: 'List the endpoints of a tenant', answer: endpoints }),
  authenticate(['creator']),
  async (c) => {
    const tenant_id = ownTenant(c.var.principal, undefined);
    const rows = await withTenant(c.var.db, tenant_id, (tx) => listEndpoints(tx, { tenant_id }));
    return c.json(rows.map((row) => endpointView(row, c.var.clock.now())));
  },
);
