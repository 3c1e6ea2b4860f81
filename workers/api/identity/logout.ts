import { endSession } from '@hissaback/shared/db/queries/sessions';
import { withUser } from '@hissaback/shared/db/tenancy';
import { bearerOf } from '@hissaback/shared/http/auth';
import { sessionObject } from '@hissaback/shared/http/auth-context';
import { assertSameOrigin } from '@hissaback/shared/http/same-origin';
import type { Context } from 'hono';
import type { IdentityEnv } from './env.ts';
import { REFRESH_CLEARED, refreshTokenFrom } from './refresh-cookie.ts';
import { revokeSessions } from './revoke-sessions.ts';
import { forgetVisitor } from './visitor.ts';

/**
 * `POST /v1/auth/logout`: ends the session of the access token, of the refresh cookie, or of both, and gives the browser a visitor of nobody's (money rule 8).
 * Who has neither is logged out already.
 */
export async function logout(c: Context<IdentityEnv>) {
  const now = c.var.clock.now();
  const principal = await bearerOf(c.req.header('authorization'), c.env.JWT_KEYS, now);
  const cookie = refreshTokenFrom(c.req.header('cookie'));
  // A Bearer token is sent by nobody unasked; a cookie is.
  if (principal === null) assertSameOrigin(c.req.raw);
  if (principal !== null && principal.sessionId !== null) {
    await noteEnd(c, principal.sessionId, principal.sub);
    await revokeSessions(c, [principal.sessionId]);
  }
  if (cookie !== null) {
    const session = sessionObject(c.env.SESSIONS, cookie.sessionId);
    const userId = await session.logOut(cookie.generation, cookie.mac, now);
    if (userId !== null) await noteEnd(c, cookie.sessionId, userId);
  }
  c.header('set-cookie', REFRESH_CLEARED, { append: true });
  await forgetVisitor(c);
  return c.body(null, 204);
}

async function noteEnd(c: Context<IdentityEnv>, sessionId: string, userId: string): Promise<void> {
  await withUser(c.var.db, userId, (tx) =>
    endSession(tx, { session_id: sessionId, user_id: userId, at: new Date(c.var.clock.now()) }),
  );
}
