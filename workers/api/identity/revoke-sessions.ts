import { type AuthContext, sessionObject } from '@hissaback/shared/http/auth-context';
import type { HttpVariables } from '@hissaback/shared/http/context';
import { ProblemError } from '@hissaback/shared/http/problem';

type Reaches = { env: Pick<AuthContext['Bindings'], 'SESSIONS'>; var: Pick<HttpVariables, 'clock' | 'log'> };

/**
 * Revokes the tokens of sessions, those of the last day and those to come. What is revoked stays revoked: it may be repeated.
 *
 * @throws ProblemError `unavailable` (503) if a session could not be reached, also at a second try
 */
export async function revokeSessions(c: Reaches, sessionIds: readonly string[]): Promise<void> {
  const now = c.var.clock.now();
  const revoke = (id: string) => sessionObject(c.env.SESSIONS, id).revoke(now);
  const outcomes = await Promise.allSettled(sessionIds.map((id) => revoke(id).catch(() => revoke(id))));
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failed.length === 0) return;
  c.var.log.error('sessions_not_revoked', { count: failed.length, error: failed[0]?.reason });
  throw new ProblemError('unavailable', {
    detail: 'Not all sessions could be ended. Do it again.',
    headers: { 'retry-after': '1' },
  });
}
