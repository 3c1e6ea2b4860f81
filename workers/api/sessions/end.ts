import { endSession } from '@hissaback/shared/db/queries/sessions';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import { pathId } from '../http/ownership.ts';
import type { IdentityEnv } from '../identity/env.ts';
import { revokeSessions } from '../identity/revoke-sessions.ts';
import { operation } from '../openapi/operation.ts';

/** `DELETE /v1/auth/sessions/:session_id`: ends one of one's own sessions; its tokens are refused from then on. */
export const endSessionRoute = new Hono<IdentityEnv>().delete(
  '/v1/auth/sessions/:session_id',
  operation({ id: 'endSession', summary: 'End one of the own sessions', answer: { 204: { description: 'Done' } } }),
  authenticate(['shopper', 'creator', 'operator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const session_id = pathId(c.req.param('session_id'));
    const end = { session_id, user_id: principal.sub, at: new Date(clock.now()) };
    if (!(await withUser(db, principal.sub, (tx) => endSession(tx, end)))) throw new ProblemError('not_found');
    await revokeSessions(c, [session_id]);
    return c.body(null, 204);
  },
);
