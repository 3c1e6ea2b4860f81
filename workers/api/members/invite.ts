import { invitation, newInvitation } from '@hissaback/shared/contracts/members';
import { invite, MAX_INVITATIONS } from '@hissaback/shared/db/queries/members';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { parseCountries, parsePhone } from '@hissaback/shared/domain/phone';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { invitationView } from './invitation-view.ts';
import { assertOwner } from './owner.ts';

/** How long an invitation stands. */
const VALID_MS = 14 * 86_400_000;

/**
 * `POST /v1/tenants/:tenant_id/invitations {phone, role}`, by owners. The answer is the same whether or not anybody has this phone, is invited already or belongs to
 * the tenant: nobody looks. Whoever logs in with the phone finds the invitation.
 */
export const inviteRoute = new Hono<ApiContext>().post(
  '/v1/tenants/:tenant_id/invitations',
  operation({
    id: 'inviteMember',
    summary: 'Invite somebody by phone',
    description: 'For owners. The answer is the same whether or not anybody has the phone.',
    answer: invitation,
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  jsonInput(newInvitation),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const tenant_id = ownTenant(principal, pathId(c.req.param('tenant_id')));
    const now = clock.now();
    const invitation_id = mintUuid(random);
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertOwner(tx, principal, tenant_id);
      const { phone, role } = c.req.valid('json').check();
      const parsed = parsePhone(phone, parseCountries(c.env.OTP_COUNTRIES));
      if (!parsed.ok) throw invalidField('phone', 'Not a mobile number that may log in');
      const at = new Date(now);
      const invited = await invite(tx, {
        ...{ invitation_id, tenant_id, phone: parsed.e164, role, invited_by: principal.sub },
        ...{ at, expires_at: new Date(now + VALID_MS) },
      });
      if (invited === null) {
        throw new ProblemError('conflict', { detail: `${MAX_INVITATIONS} invitations are open. Take one back first.` });
      }
      const subject = `invitation:${invited.invitation_id}`;
      await recordChange(c, tx, { tenant_id, action: 'invitation.sent', subject, details: { role } });
      return invited;
    });
    return c.json(invitationView(row));
  },
);
