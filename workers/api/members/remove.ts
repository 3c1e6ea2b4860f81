import { revokeApiKeysOf } from '@hissaback/shared/db/queries/api-keys';
import { lockTenant, removeMember } from '@hissaback/shared/db/queries/members';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { assertOwner } from './owner.ts';

/**
 * `DELETE /v1/tenants/:tenant_id/members/:user_id`: an owner removes anyone, everyone themselves; the last owner stays. The API keys and invitations that they made
 * end with the membership.
 */
export const removeMemberRoute = new Hono<ApiContext>().delete(
  '/v1/tenants/:tenant_id/members/:user_id',
  operation({
    id: 'removeMember',
    summary: 'Remove a member',
    description: 'Owners remove anyone, members themselves; the last owner stays.',
    answer: { 204: { description: 'Done' } },
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, pathId(c.req.param('tenant_id')));
    const user_id = pathId(c.req.param('user_id'));
    const at = new Date(clock.now());
    await withTenant(db, tenant_id, async (tx) => {
      if (user_id !== principal.sub) await assertOwner(tx, principal, tenant_id);
      else {
        await lockTenant(tx, { tenant_id });
        await assertMember(tx, principal, tenant_id);
      }
      const outcome = await removeMember(tx, { tenant_id, user_id, at });
      if (outcome === 'no_member') throw new ProblemError('not_found');
      if (outcome === 'last_owner') {
        throw new ProblemError('conflict', { detail: 'The last owner stays. Invite another owner first.' });
      }
      await revokeApiKeysOf(tx, { tenant_id, user_id, at });
      await recordChange(c, tx, { tenant_id, action: 'member.removed', subject: `user:${user_id}` });
    });
    return c.body(null, 204);
  },
);
