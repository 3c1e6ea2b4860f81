import { domains } from '@hissaback/shared/contracts/domains';
import { listDomains } from '@hissaback/shared/db/queries/domains';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { domainView } from './view.ts';

/** `GET /v1/domains`: the tenant's domains, verified or not, oldest first. There are at most twenty. */
export const listDomainsRoute = new Hono<ApiContext>().get(
  '/v1/domains',
  operation({ id: 'listDomains', summary: 'List the domains of a tenant', answer: domains }),
  authenticate(['creator']),
  async (c) => {
    const tenant_id = ownTenant(c.var.principal, undefined);
    const rows = await withTenant(c.var.db, tenant_id, (tx) => listDomains(tx, { tenant_id }));
    return c.json(rows.map(domainView));
  },
);
