import { erasureQuery } from '@hissaback/shared/contracts/profile';
import { type Erasure, eraseUser, openBalances } from '@hissaback/shared/db/queries/profile';
import { endSessions } from '@hissaback/shared/db/queries/sessions';
import { withUser } from '@hissaback/shared/db/tenancy';
import { mintId } from '@hissaback/shared/domain/click-id';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { REFRESH_CLEARED } from '../identity/refresh-cookie.ts';
import { revokeSessions } from '../identity/revoke-sessions.ts';
import { forgetVisitor } from '../identity/visitor.ts';
import { operation } from '../openapi/operation.ts';

const REFUSED = {
  operator: 'Operators cannot erase themselves: their right must be taken away first.',
  sole_owner: 'You are the only owner of a tenant. Invite another owner first.',
  payout_in_flight: 'A payout is on its way. Wait until it has arrived.',
  balance: 'There is money left. It is lost with the account: send forfeit_balance=true to give it up.',
} as const satisfies Record<Exclude<Erasure, 'erased'>, string>;

/**
 * `DELETE /v1/me?forfeit_balance=true`: erases phone, email, name and KYC, leaves every tenant and ends every session. What was earned and paid stays in the
 * ledger under an id that names nobody any more.
 */
export const eraseRoute = new Hono<ApiContext>().delete(
  '/v1/me',
  operation({
    id: 'eraseMe',
    summary: 'Erase oneself as a person',
    description: 'Phone, email, name and KYC go; the ledger stays under an id that names nobody.',
    answer: { 204: { description: 'Done' } },
    errors: ['conflict'],
  }),
  authenticate(['shopper', 'creator', 'operator']),
  queryInput(erasureQuery),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const user_id = principal.sub;
    const { forfeit_balance: forfeit = false } = c.req.valid('query').check();
    const at = new Date(clock.now());
    const audit_id = mintId(clock, random);
    const { outcome, balances } = await withUser(db, user_id, async (tx) => ({
      balances: await openBalances(tx, { user_id }),
      outcome: await eraseUser(tx, { audit_id, forfeit, at }),
    }));
    if (outcome !== 'erased') {
      const members = outcome === 'balance' ? { balances } : {};
      throw new ProblemError('conflict', { detail: REFUSED[outcome], members });
    }
    const ended = await withUser(db, user_id, (tx) => endSessions(tx, { user_id, at }));
    await revokeSessions(c, [...new Set([...ended, principal.sessionId ?? ''])]);
    c.header('set-cookie', REFRESH_CLEARED, { append: true });
    await forgetVisitor(c);
    return c.body(null, 204);
  },
);
