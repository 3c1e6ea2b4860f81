import { createdWidgetToken } from '@hissaback/shared/contracts/widgets';
import { lockTenant } from '@hissaback/shared/db/queries/members';
import { insertWidgetToken, MAX_WIDGET_TOKENS, widgetById } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { signAccessToken } from '@hissaback/shared/http/access-token';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { tokenKeysFrom } from '@hissaback/shared/http/token-keys';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { widgetTokenView } from './view.ts';

/** Five years: it stands in pages that nobody likes to touch, and can be revoked any time. */
const LIFETIME_SECONDS = 5 * 365 * 86_400;

/**
 * `POST /v1/widgets/:widget_id/tokens`: a publishable token of the role widget, good for this widget and tenant alone: it lists offers and makes clicks in nobody's
 * name. It is not kept, so it is shown this once.
 */
export const createWidgetToken = new Hono<ApiContext>().post(
  '/v1/widgets/:widget_id/tokens',
  operation({
    id: 'createWidgetToken',
    summary: 'Make a publishable token, shown this once',
    answer: createdWidgetToken,
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const widget_id = pathId(c.req.param('widget_id'));
    const at = new Date(clock.now());
    const expires_at = new Date((Math.floor(clock.now() / 1000) + LIFETIME_SECONDS) * 1000);
    const token_id = mintUuid(random);
    await withTenant(db, tenant_id, async (tx) => {
      await lockTenant(tx, { tenant_id });
      await assertMember(tx, principal, tenant_id);
      if ((await widgetById(tx, { tenant_id, widget_id })) === null) throw new ProblemError('not_found');
      const token = { token_id, tenant_id, widget_id, created_by: principal.sub, at, expires_at };
      if (!(await insertWidgetToken(tx, token))) {
        throw new ProblemError('conflict', { detail: `${MAX_WIDGET_TOKENS} tokens are in use. Revoke one first.` });
      }
      await recordChange(c, tx, { tenant_id, action: 'widget_token.created', subject: `widget_token:${token_id}` });
    });
    const keys = await tokenKeysFrom(c.env.JWT_KEYS);
    const grant = { sub: widget_id, role: 'widget', tenantId: tenant_id, jti: token_id } as const;
    const token = await signAccessToken(keys, { ...grant, lifetime: LIFETIME_SECONDS }, clock, random);
    return c.json({ ...widgetTokenView({ token_id, created_at: at, expires_at }), token });
  },
);
