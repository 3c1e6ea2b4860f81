import { insertSession } from '@hissaback/shared/db/queries/sessions';
import { withUser } from '@hissaback/shared/db/tenancy';
import { deviceLabel } from '@hissaback/shared/domain/device-label';
import { SESSION_SECONDS } from '@hissaback/shared/domain/session';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { signAccessToken } from '@hissaback/shared/http/access-token';
import { sessionObject } from '@hissaback/shared/http/auth-context';
import { tokenKeysFrom } from '@hissaback/shared/http/token-keys';
import type { Context } from 'hono';
import type { IdentityEnv } from './env.ts';
import { defaultScope, type Login } from './login.ts';
import { refreshSetCookie } from './refresh-cookie.ts';
import { revokeSessions } from './revoke-sessions.ts';
import { adoptVisitor } from './visitor.ts';

/** Begins a session for whoever just proved to be this user: the refresh cookie goes with the answer, the access token is returned. */
export async function openSession(c: Context<IdentityEnv>, login: Login): Promise<string> {
  const { clock, random, db } = c.var;
  const { userId } = login;
  const now = clock.now();
  const sessionId = mintUuid(random);
  const grant = { ...defaultScope(login), sessionId };
  const refreshToken = await sessionObject(c.env.SESSIONS, sessionId).start(sessionId, userId, now);
  const ended = await withUser(db, userId, (tx) =>
    insertSession(tx, {
      session_id: sessionId,
      user_id: userId,
      device: deviceLabel(c.req.header('user-agent') ?? ''),
      scope_tenant: grant.tenantId ?? null,
      deadBefore: new Date(now - SESSION_SECONDS * 1000),
      at: new Date(now),
    }),
  );
  await revokeSessions(c, ended);
  await adoptVisitor(c, userId);
  c.header('set-cookie', refreshSetCookie(refreshToken), { append: true });
  return signAccessToken(await tokenKeysFrom(c.env.JWT_KEYS), grant, clock, random);
}
