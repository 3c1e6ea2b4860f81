import { type Member, members } from '@hissaback/shared/contracts/members';
import { listMembers } from '@hissaback/shared/db/queries/members';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `GET /v1/tenants/:tenant_id/members`: for members; of a phone only its end is shown. */
export const listMembersRoute = new Hono<ApiContext>().get(
  '/v1/tenants/:tenant_id/members',
  operation({ id: 'listMembers', summary: 'List the members of a tenant', answer: members }),
  authenticate(['creator']),
  async (c) => {
    const { principal, db } = c.var;
    const tenant_id = ownTenant(principal, pathId(c.req.param('tenant_id')));
    const rows = await withTenant(db, tenant_id, async (tx) => {
      // People are nobody's business any more once one has left, whatever the day-old token says.
      await assertMember(tx, principal, tenant_id);
      return listMembers(tx);
    });
    return c.json(rows.map((row): Member => ({ ...row, created_at: row.created_at.toISOString() })));
  },
);
