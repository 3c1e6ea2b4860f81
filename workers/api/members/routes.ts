import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { answerInvitationRoutes } from './answer-invitation.ts';
import { listInvitationsRoute } from './invitations.ts';
import { inviteRoute } from './invite.ts';
import { listMembersRoute } from './list.ts';
import { ownInvitationsRoute } from './own-invitations.ts';
import { removeMemberRoute } from './remove.ts';
import { revokeInvitationRoute } from './revoke-invitation.ts';

/** Who belongs to a tenant, and who is invited to. */
export const memberRoutes = new Hono<ApiContext>()
  .route('/', listMembersRoute)
  .route('/', removeMemberRoute)
  .route('/', inviteRoute)
  .route('/', listInvitationsRoute)
  .route('/', revokeInvitationRoute)
  .route('/', ownInvitationsRoute)
  .route('/', answerInvitationRoutes);
