import { ownInvitations as invitationsAnswer } from '@hissaback/shared/contracts/members';
import { ownInvitations } from '@hissaback/shared/db/queries/members';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { operation } from '../openapi/operation.ts';
import { ownInvitationView } from './invitation-view.ts';

/** `GET /v1/invitations`: the open invitations to the phone of the token's subject. */
export const ownInvitationsRoute = new Hono<ApiContext>().get(
  '/v1/invitations',
  operation({ id: 'listOwnInvitations', summary: 'List the invitations to the own phone', answer: invitationsAnswer }),
  authenticate(['shopper', 'creator', 'operator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const at = new Date(clock.now());
    const rows = await withUser(db, principal.sub, (tx) => ownInvitations(tx, { at }));
    return c.json(rows.map(ownInvitationView));
  },
);
