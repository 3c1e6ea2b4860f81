import { setLogo } from '@hissaback/shared/db/queries/tenants';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `DELETE /v1/tenants/:tenant_id/logo`: the tenant has none any more; the file stays where pages may show it still. */
export const deleteLogo = new Hono<ApiContext>().delete(
  '/v1/tenants/:tenant_id/logo',
  operation({ id: 'deleteLogo', summary: "Take a tenant's logo away", answer: { 204: { description: 'Done' } } }),
  authenticate(['creator']),
  async (c) => {
    const { principal, db } = c.var;
    const tenant_id = ownTenant(principal, pathId(c.req.param('tenant_id')));
    await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      await setLogo(tx, { tenant_id, logo_url: null });
      await recordChange(c, tx, { tenant_id, action: 'tenant.logo_removed', subject: `tenant:${tenant_id}` });
    });
    return c.body(null, 204);
  },
);
