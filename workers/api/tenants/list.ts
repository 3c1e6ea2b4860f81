import { type OwnTenant, ownTenants } from '@hissaback/shared/contracts/tenants';
import { tenantsOfUser } from '@hissaback/shared/db/queries/tenants';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { operation } from '../openapi/operation.ts';
import { tenantView } from './view.ts';

/** `GET /v1/tenants`: the tenants of the token's subject, newest membership first. */
export const listTenants = new Hono<ApiContext>().get(
  '/v1/tenants',
  operation({ id: 'listTenants', summary: 'List the tenants one belongs to', answer: ownTenants }),
  authenticate(['shopper', 'creator', 'operator']),
  async (c) => {
    const user_id = c.var.principal.sub;
    const rows = await withUser(c.var.db, user_id, (tx) => tenantsOfUser(tx, { user_id }));
    return c.json(rows.map((row): OwnTenant => ({ ...tenantView(row), role: row.role })));
  },
);
