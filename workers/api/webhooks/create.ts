import { endpointWithSecret, newEndpoint } from '@hissaback/shared/contracts/webhooks';
import { lockTenant } from '@hissaback/shared/db/queries/members';
import { insertEndpoint, listEndpoints } from '@hissaback/shared/db/queries/webhooks';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { sealWebhookSecret } from '@hissaback/shared/domain/webhook-secret';
import { mintWebhookSecret } from '@hissaback/shared/domain/webhook-signature';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { assertTarget } from './target.ts';
import { endpointView } from './view.ts';

const MOST_ENDPOINTS = 10;

/** `POST /v1/webhooks {url, events?, description?}`: an endpoint and its signing secret, which is shown this once. */
export const createWebhook = new Hono<ApiContext>().post(
  '/v1/webhooks',
  operation({
    id: 'createWebhook',
    summary: 'Have conversions and rewards told to your server',
    description:
      'Every message is a POST of `{type, timestamp, data}`, signed as Standard Webhooks says: `webhook-id`, `webhook-timestamp` and `webhook-signature` over ' +
      'them and the body. An answer of 2xx within ten seconds ends it; else it is sent again over three days under the same `webhook-id`. The secret is ' +
      'shown once.',
    answer: endpointWithSecret,
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  jsonInput(newEndpoint),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const input = c.req.valid('json');
    const tenant_id = ownTenant(principal, input.id('tenant_id'));
    const secret = mintWebhookSecret(random);
    const endpoint_id = mintUuid(random);
    const ring = keyringFrom(c.env.WEBHOOK_KEYS, 'WEBHOOK_KEYS');
    const sealed = await sealWebhookSecret(secret, { tenant_id, endpoint_id }, ring, random);
    const at = new Date(clock.now());
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const { url, description = null, events } = input.check();
      assertTarget(url, c.env);
      await lockTenant(tx, { tenant_id });
      if ((await listEndpoints(tx, { tenant_id })).length >= MOST_ENDPOINTS) {
        throw new ProblemError('conflict', { detail: `A tenant has at most ${MOST_ENDPOINTS} endpoints.` });
      }
      const subject = `webhook:${endpoint_id}`;
      await recordChange(c, tx, { tenant_id, action: 'webhook.created', subject, details: { url, events } });
      return insertEndpoint(tx, { endpoint_id, tenant_id, url, description, events, secret: sealed, at });
    });
    return c.json({ ...endpointView(row, clock.now()), secret });
  },
);
