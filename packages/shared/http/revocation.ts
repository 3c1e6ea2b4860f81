import type { Context } from 'hono';
import type { SessionCalls } from '../contracts/durable-objects.ts';
import { isWidgetTokenLive } from '../db/queries/widgets.ts';
import { withTenant } from '../db/tenancy.ts';
import type { Principal } from './access-token.ts';
import { type AuthContext, sessionObject } from './auth-context.ts';
import { ProblemError } from './problem.ts';

/**
 * True unless the session was revoked: one call to its Durable Object.
 *
 * @throws ProblemError `unavailable` (503): a question without an answer lets nobody pass
 */
export async function isSessionGood(c: Context<AuthContext>, sessionId: string): Promise<boolean> {
  const now = c.var.clock.now();
  try {
    return await askTwice(c, sessionId, (session) => session.isLive(now));
  } catch (error) {
    c.var.log.error('session_not_asked', { session_id: sessionId, error });
    throw new ProblemError('unavailable', { headers: { 'retry-after': '1' } });
  }
}

/** True unless the token, its widget or its tenant is out of use: one look at the database. */
export async function isWidgetTokenGood(c: Context<AuthContext>, principal: Principal): Promise<boolean> {
  const { tenantId, sub, jti } = principal;
  if (tenantId === null) return false;
  return withTenant(c.var.db, tenantId, (tx) =>
    isWidgetTokenLive(tx, { tenant_id: tenantId, widget_id: sub, token_id: jti }),
  );
}

// An object that moves or restarts fails the calls of that moment; a fresh stub reaches it again.
async function askTwice<T>(
  c: Context<AuthContext>,
  sessionId: string,
  ask: (session: SessionCalls) => Promise<T>,
): Promise<T> {
  const { SESSIONS } = c.env;
  try {
    return await ask(sessionObject(SESSIONS, sessionId));
  } catch {
    return ask(sessionObject(SESSIONS, sessionId));
  }
}
