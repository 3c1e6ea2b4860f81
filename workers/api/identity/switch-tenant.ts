import { tenantSwitch } from '@hissaback/shared/contracts/auth';
import { isOperator, membershipsOf } from '@hissaback/shared/db/queries/identity';
import { touchSession } from '@hissaback/shared/db/queries/sessions';
import { withOperator, withUser } from '@hissaback/shared/db/tenancy';
import { type Grant, signAccessToken } from '@hissaback/shared/http/access-token';
import { ProblemError } from '@hissaback/shared/http/problem';
import { tokenKeysFrom } from '@hissaback/shared/http/token-keys';
import { parseBody } from '@hissaback/shared/http/validate';
import type { Context } from 'hono';
import type { IdentityEnv } from './env.ts';

/**
 * `POST /v1/auth/switch`: a token for another of one's tenants, or for none. It expires when the one shown does: switching prolongs nothing. Membership is
 * asked of the database, not of the token (money rule 24). The session keeps the choice when it is refreshed.
 */
export async function switchTenant(c: Context<IdentityEnv>) {
  const { clock, random, principal } = c.var;
  const { tenant_id: tenantId } = await parseBody(tenantSwitch, c.req.raw);
  const grant = await withOperator(c.var.db, principal.sub, async (tx): Promise<Grant> => {
    if (tenantId === null) return { sub: principal.sub, role: (await isOperator(tx)) ? 'operator' : 'shopper' };
    const memberships = await membershipsOf(tx, principal.sub);
    if (memberships.some((membership) => membership.tenantId === tenantId)) {
      return { sub: principal.sub, role: 'creator', tenantId };
    }
    throw new ProblemError('forbidden', { detail: 'You are not a member of this tenant.' });
  });
  const sessionId = principal.sessionId ?? '';
  const change = { session_id: sessionId, user_id: principal.sub, scope_tenant: tenantId, at: new Date(clock.now()) };
  await withUser(c.var.db, principal.sub, (tx) => touchSession(tx, change));
  const lifetime = principal.expiresAt - Math.floor(clock.now() / 1000);
  const keys = await tokenKeysFrom(c.env.JWT_KEYS);
  return c.json({ jwt: await signAccessToken(keys, { ...grant, sessionId, lifetime }, clock, random) }, 200);
}
