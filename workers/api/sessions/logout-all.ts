import { endSessions } from '@hissaback/shared/db/queries/sessions';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { IdentityEnv } from '../identity/env.ts';
import { REFRESH_CLEARED } from '../identity/refresh-cookie.ts';
import { revokeSessions } from '../identity/revoke-sessions.ts';
import { forgetVisitor } from '../identity/visitor.ts';
import { operation } from '../openapi/operation.ts';

/** `POST /v1/auth/logout-all`: ends all of one's sessions, this one too. */
export const logoutAll = new Hono<IdentityEnv>().post(
  '/v1/auth/logout-all',
  operation({ id: 'logOutEverywhere', summary: 'End all own sessions', answer: { 204: { description: 'Done' } } }),
  authenticate(['shopper', 'creator', 'operator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const end = { user_id: principal.sub, at: new Date(clock.now()) };
    const ended = new Set(await withUser(db, principal.sub, (tx) => endSessions(tx, end)));
    await revokeSessions(c, [...ended.add(principal.sessionId ?? '')]);
    c.header('set-cookie', REFRESH_CLEARED, { append: true });
    await forgetVisitor(c);
    return c.body(null, 204);
  },
);
