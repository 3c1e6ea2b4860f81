import { answeredInvitation } from '@hissaback/shared/contracts/members';
import { answerInvitation } from '@hissaback/shared/db/queries/members';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

const PEOPLE = ['shopper', 'creator', 'operator'] as const;

/**
 * `POST /v1/invitations/:invitation_id/accept` and `/decline`, by whoever has the invited phone; to everyone else there is no such invitation. A token for the tenant
 * comes with the next login or switch.
 */
export const answerInvitationRoutes = new Hono<ApiContext>()
  .post(
    '/v1/invitations/:invitation_id/accept',
    operation({ id: 'acceptInvitation', summary: 'Accept an invitation', answer: answeredInvitation }),
    authenticate(PEOPLE),
    async (c) => c.json(await answer(c, c.req.param('invitation_id'), true)),
  )
  .post(
    '/v1/invitations/:invitation_id/decline',
    operation({ id: 'declineInvitation', summary: 'Decline an invitation', answer: answeredInvitation }),
    authenticate(PEOPLE),
    async (c) => c.json(await answer(c, c.req.param('invitation_id'), false)),
  );

async function answer(c: { var: ApiContext['Variables'] }, id: string, accept: boolean) {
  const { principal, clock, db } = c.var;
  const invitation_id = pathId(id);
  const at = new Date(clock.now());
  const tenant_id = await withUser(db, principal.sub, (tx) => answerInvitation(tx, { invitation_id, accept, at }));
  if (tenant_id === null) throw new ProblemError('not_found');
  return { tenant_id };
}
