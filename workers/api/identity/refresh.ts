import type { SessionRefreshed } from '@hissaback/shared/contracts/durable-objects';
import { isOperator, type Membership, membershipsOf } from '@hissaback/shared/db/queries/identity';
import { endSession, sessionScope, touchSession } from '@hissaback/shared/db/queries/sessions';
import { withOperator, withUser } from '@hissaback/shared/db/tenancy';
import { type Grant, signAccessToken } from '@hissaback/shared/http/access-token';
import { sessionObject } from '@hissaback/shared/http/auth-context';
import { ProblemError } from '@hissaback/shared/http/problem';
import { assertSameOrigin } from '@hissaback/shared/http/same-origin';
import { tokenKeysFrom } from '@hissaback/shared/http/token-keys';
import type { Context } from 'hono';
import type { IdentityEnv } from './env.ts';
import { REFRESH_CLEARED, refreshSetCookie, refreshTokenFrom } from './refresh-cookie.ts';

type Refreshed = Extract<SessionRefreshed, { refreshToken: string }>;

/**
 * `POST /v1/auth/refresh`: a new access token, and the successor of the refresh token, which can be used once. A used one that comes back later than the grace
 * ends the session for everyone who holds a token of it. What the new token may do is asked of the tables again (money rule 24).
 */
export async function refresh(c: Context<IdentityEnv>) {
  assertSameOrigin(c.req.raw);
  const token = refreshTokenFrom(c.req.header('cookie'));
  if (token === null) throw loggedOut('Log in first.');
  const session = sessionObject(c.env.SESSIONS, token.sessionId);
  const answer = await session.refresh(token.generation, token.mac, c.var.clock.now());
  if (answer.outcome === 'refused') throw loggedOut('The session is over.');
  if (answer.outcome === 'reused') {
    c.var.log.warn('refresh_token_reused', { session_id: token.sessionId, user_id: answer.userId });
    await noteRevocation(c, token.sessionId, answer.userId);
    throw loggedOut('The refresh token was used before: the session is over.');
  }
  const jwt = await continueSession(c, token.sessionId, answer);
  if (jwt === null) throw loggedOut('The session is over.');
  c.header('set-cookie', refreshSetCookie(answer.refreshToken));
  return c.json({ jwt }, 200);
}

// The old token is used up by now. Whatever fails from here on must not keep the new one from the browser.
async function continueSession(c: Context<IdentityEnv>, sessionId: string, answer: Refreshed): Promise<string | null> {
  try {
    const grant = await currentGrant(c, sessionId, answer.userId);
    if (grant === null) return null;
    const keys = await tokenKeysFrom(c.env.JWT_KEYS);
    return await signAccessToken(keys, grant, c.var.clock, c.var.random);
  } catch (error) {
    c.var.log.error('session_not_continued', { session_id: sessionId, error });
    throw new ProblemError('unavailable', {
      headers: { 'retry-after': '1', 'set-cookie': refreshSetCookie(answer.refreshToken) },
    });
  }
}

/** What the session works for now: the tenant it chose while its user belongs to it, else an operator's or a shopper's own things. */
async function currentGrant(c: Context<IdentityEnv>, sessionId: string, userId: string): Promise<Grant | null> {
  const { db, clock } = c.var;
  const scope = await withUser(db, userId, async (tx) => {
    const chosen = await sessionScope(tx, { session_id: sessionId, user_id: userId });
    if (chosen === undefined) return undefined;
    const memberships = chosen === null ? [] : await membershipsOf(tx, userId);
    const scope_tenant = memberships.some((one: Membership) => one.tenantId === chosen) ? chosen : null;
    await touchSession(tx, { session_id: sessionId, user_id: userId, scope_tenant, at: new Date(clock.now()) });
    return scope_tenant;
  });
  if (scope === undefined) return null;
  if (scope !== null) return { sub: userId, role: 'creator', tenantId: scope, sessionId };
  return { sub: userId, role: (await withOperator(db, userId, isOperator)) ? 'operator' : 'shopper', sessionId };
}

// The revocation itself is committed where the token was used; this only keeps the owner's list true.
async function noteRevocation(c: Context<IdentityEnv>, sessionId: string, userId: string): Promise<void> {
  try {
    await withUser(c.var.db, userId, (tx) =>
      endSession(tx, { session_id: sessionId, user_id: userId, at: new Date(c.var.clock.now()) }),
    );
  } catch (error) {
    c.var.log.error('revocation_not_noted', { session_id: sessionId, error });
  }
}

function loggedOut(detail: string): ProblemError {
  return new ProblemError('unauthenticated', {
    detail,
    headers: { 'set-cookie': REFRESH_CLEARED, 'www-authenticate': 'Bearer realm="hissaback"' },
  });
}
