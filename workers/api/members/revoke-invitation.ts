import { revokeInvitation } from '@hissaback/shared/db/queries/members';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { assertOwner } from './owner.ts';

/** `DELETE /v1/tenants/:tenant_id/invitations/:invitation_id`: takes an open one back, by owners. */
export const revokeInvitationRoute = new Hono<ApiContext>().delete(
  '/v1/tenants/:tenant_id/invitations/:invitation_id',
  operation({ id: 'revokeInvitation', summary: 'Take an invitation back', answer: { 204: { description: 'Done' } } }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, pathId(c.req.param('tenant_id')));
    const invitation_id = pathId(c.req.param('invitation_id'));
    const at = new Date(clock.now());
    await withTenant(db, tenant_id, async (tx) => {
      await assertOwner(tx, principal, tenant_id);
      if (!(await revokeInvitation(tx, { tenant_id, invitation_id, at }))) throw new ProblemError('not_found');
      await recordChange(c, tx, { tenant_id, action: 'invitation.revoked', subject: `invitation:${invitation_id}` });
    });
    return c.body(null, 204);
  },
);
