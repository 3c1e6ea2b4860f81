import { apiKeys } from '@hissaback/shared/contracts/api-keys';
import { listApiKeys } from '@hissaback/shared/db/queries/api-keys';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { apiKeyView } from './view.ts';

/** `GET /v1/api-keys`: the tenant's keys in use, newest first, without the keys themselves. */
export const listApiKeysRoute = new Hono<ApiContext>().get(
  '/v1/api-keys',
  operation({ id: 'listApiKeys', summary: 'List the API keys in use', answer: apiKeys }),
  authenticate(['creator']),
  async (c) => {
    const tenant_id = ownTenant(c.var.principal, undefined);
    const rows = await withTenant(c.var.db, tenant_id, (tx) => listApiKeys(tx, { tenant_id }));
    return c.json(rows.map(apiKeyView));
  },
);
