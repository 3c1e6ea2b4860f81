import { deliveries, deliveryQuery } from '@hissaback/shared/contracts/webhooks';
import { endpointById, listDeliveries } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { decodeTimeCursor, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { deliveryView } from './view.ts';

/** `GET /v1/webhooks/:endpoint_id/deliveries?status=`: what was sent and what came back, newest first, for thirty days. */
export const listWebhookDeliveries = new Hono<ApiContext>().get(
  '/v1/webhooks/:endpoint_id/deliveries',
  operation({ id: 'listWebhookDeliveries', summary: "List an endpoint's deliveries", answer: deliveries }),
  authenticate(['creator']),
  queryInput(deliveryQuery),
  async (c) => {
    const endpoint_id = pathId(c.req.param('endpoint_id'));
    const tenant_id = ownTenant(c.var.principal, undefined);
    const { limit, rows } = await withTenant(c.var.db, tenant_id, async (tx) => {
      if ((await endpointById(tx, { tenant_id, endpoint_id })) === null) throw new ProblemError('not_found');
      const { status, cursor, limit } = c.req.valid('query').check();
      const after = decodeTimeCursor(cursor);
      return { limit, rows: await listDeliveries(tx, { tenant_id, endpoint_id, status, after, limit: limit + 1 }) };
    });
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), last.delivery_id]);
    return c.json(page.rows.map(deliveryView), 200, page.headers);
  },
);
