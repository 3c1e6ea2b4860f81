import { type Session, sessions } from '@hissaback/shared/contracts/auth';
import { liveSessions } from '@hissaback/shared/db/queries/sessions';
import { withUser } from '@hissaback/shared/db/tenancy';
import { SESSION_SECONDS } from '@hissaback/shared/domain/session';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { IdentityEnv } from '../identity/env.ts';
import { operation } from '../openapi/operation.ts';

/** `GET /v1/auth/sessions`: where the token's subject is logged in, the session used last first. No address is kept, so none is shown. */
export const listSessions = new Hono<IdentityEnv>().get(
  '/v1/auth/sessions',
  operation({ id: 'listSessions', summary: 'List own sessions', answer: sessions }),
  authenticate(['shopper', 'creator', 'operator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const user_id = principal.sub;
    const deadBefore = new Date(clock.now() - SESSION_SECONDS * 1000);
    const rows = await withUser(db, user_id, (tx) => liveSessions(tx, { user_id, deadBefore }));
    return c.json(
      rows.map(
        (row): Session => ({
          session_id: row.session_id,
          device: row.device,
          created_at: row.created_at.toISOString(),
          last_used_at: row.last_used_at.toISOString(),
          is_current: row.session_id === principal.sessionId,
        }),
      ),
    );
  },
);
