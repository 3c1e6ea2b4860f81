import { endpointWithSecret } from '@hissaback/shared/contracts/webhooks';
import { rotateSecret } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { ROTATION_MS } from '@hissaback/shared/domain/webhook-schedule';
import { sealWebhookSecret } from '@hissaback/shared/domain/webhook-secret';
import { mintWebhookSecret } from '@hissaback/shared/domain/webhook-signature';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { endpointView } from './view.ts';

/** `POST /v1/webhooks/:endpoint_id/rotate`: a new secret, shown this once. For a day messages carry the signature of the old one as well. */
export const rotateWebhookSecret = new Hono<ApiContext>().post(
  '/v1/webhooks/:endpoint_id/rotate',
  operation({ id: 'rotateWebhookSecret', summary: 'Give an endpoint a new secret', answer: endpointWithSecret }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const endpoint_id = pathId(c.req.param('endpoint_id'));
    const tenant_id = ownTenant(principal, undefined);
    const secret = mintWebhookSecret(random);
    const ring = keyringFrom(c.env.WEBHOOK_KEYS, 'WEBHOOK_KEYS');
    const sealed = await sealWebhookSecret(secret, { tenant_id, endpoint_id }, ring, random);
    const until = new Date(clock.now() + ROTATION_MS);
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const rotated = await rotateSecret(tx, { tenant_id, endpoint_id, secret: sealed, until });
      if (rotated === null) throw new ProblemError('not_found');
      await recordChange(c, tx, { tenant_id, action: 'webhook.rotated', subject: `webhook:${endpoint_id}` });
      return rotated;
    });
    return c.json({ ...endpointView(row, clock.now()), secret });
  },
);
