import { tenant } from '@hissaback/shared/contracts/tenants';
import { tenantById } from '@hissaback/shared/db/queries/tenants';
import { withOperator, withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { tenantView } from './view.ts';

/** `GET /v1/tenants/:tenant_id`: a creator's own tenant; any for an operator. */
export const getTenant = new Hono<ApiContext>().get(
  '/v1/tenants/:tenant_id',
  operation({ id: 'getTenant', summary: 'Get a tenant', answer: tenant }),
  authenticate(['creator', 'operator']),
  async (c) => {
    const { principal, db } = c.var;
    const tenant_id = pathId(c.req.param('tenant_id'));
    const row =
      principal.role === 'operator'
        ? await withOperator(db, principal.sub, (tx) => tenantById(tx, { tenant_id }))
        : await withTenant(db, ownTenant(principal, tenant_id), (tx) => tenantById(tx, { tenant_id }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(tenantView(row));
  },
);
