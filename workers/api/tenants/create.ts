import { newTenant, tenant } from '@hissaback/shared/contracts/tenants';
import { foundTenant, tenantById } from '@hissaback/shared/db/queries/tenants';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';
import { tenantView } from './view.ts';

/** `POST /v1/tenants`: anyone logged in founds a tenant and becomes its owner. A token for it comes with the next login or switch. */
export const createTenant = new Hono<ApiContext>().post(
  '/v1/tenants',
  operation({
    id: 'createTenant',
    summary: 'Found a tenant',
    description: 'Anyone logged in may, and becomes its owner. A token for it comes with the next login or switch.',
    answer: tenant,
  }),
  authenticate(['shopper', 'creator', 'operator']),
  jsonInput(newTenant),
  async (c) => {
    const { name } = c.req.valid('json').check();
    const tenant_id = mintUuid(c.var.random);
    const at = new Date(c.var.clock.now());
    const row = await withTenant(c.var.db, tenant_id, async (tx) => {
      await foundTenant(tx, { tenant_id, name, owner: c.var.principal.sub, at });
      const details = { name };
      await recordChange(c, tx, { tenant_id, action: 'tenant.founded', subject: `tenant:${tenant_id}`, details });
      return tenantById(tx, { tenant_id });
    });
    if (row === null) throw new ProblemError('internal');
    return c.json(tenantView(row));
  },
);
