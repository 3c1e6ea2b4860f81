import { delivery } from '@hissaback/shared/contracts/webhooks';
import { endpointById, replayDelivery } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { deliveryView } from './view.ts';

/**
 * `POST /v1/webhooks/:endpoint_id/deliveries/:delivery_id/replay`: the event once more, within minutes, as a delivery of its own and under the event's
 * own `webhook-id`.
 */
export const replayWebhookDelivery = new Hono<ApiContext>().post(
  '/v1/webhooks/:endpoint_id/deliveries/:delivery_id/replay',
  operation({
    id: 'replayWebhookDelivery',
    summary: 'Send an event again',
    answer: delivery,
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const endpoint_id = pathId(c.req.param('endpoint_id'));
    const delivery_id = pathId(c.req.param('delivery_id'));
    const tenant_id = ownTenant(principal, undefined);
    const new_delivery = mintUuid(random);
    const at = new Date(clock.now());
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const endpoint = await endpointById(tx, { tenant_id, endpoint_id });
      if (endpoint === null) throw new ProblemError('not_found');
      const replayed = await replayDelivery(tx, { tenant_id, endpoint_id, delivery_id, new_delivery, at });
      if (replayed === null) throw new ProblemError('not_found');
      if (endpoint.status !== 'enabled') throw new ProblemError('conflict', { detail: 'The endpoint is disabled.' });
      const [subject, details] = [`webhook:${endpoint_id}`, { delivery_id }];
      await recordChange(c, tx, { tenant_id, action: 'webhook.replayed', subject, details });
      return replayed;
    });
    return c.json(deliveryView(row));
  },
);
