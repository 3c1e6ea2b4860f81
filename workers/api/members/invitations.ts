import { invitations } from '@hissaback/shared/contracts/members';
import { listInvitations } from '@hissaback/shared/db/queries/members';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { invitationView } from './invitation-view.ts';

/** `GET /v1/tenants/:tenant_id/invitations`: the open ones, for members. */
export const listInvitationsRoute = new Hono<ApiContext>().get(
  '/v1/tenants/:tenant_id/invitations',
  operation({ id: 'listInvitations', summary: 'List the open invitations of a tenant', answer: invitations }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, pathId(c.req.param('tenant_id')));
    const rows = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      return listInvitations(tx, { tenant_id, at: new Date(clock.now()) });
    });
    return c.json(rows.map(invitationView));
  },
);
