import { revokeWidgetToken } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `DELETE /v1/widgets/:widget_id/tokens/:token_id`: refused from the next request on. */
export const revokeWidgetTokenRoute = new Hono<ApiContext>().delete(
  '/v1/widgets/:widget_id/tokens/:token_id',
  operation({
    id: 'revokeWidgetToken',
    summary: 'Revoke a token of a widget',
    answer: { 204: { description: 'Done' } },
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const widget_id = pathId(c.req.param('widget_id'));
    const token_id = pathId(c.req.param('token_id'));
    const at = new Date(clock.now());
    await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      if (!(await revokeWidgetToken(tx, { tenant_id, widget_id, token_id, at }))) throw new ProblemError('not_found');
      await recordChange(c, tx, { tenant_id, action: 'widget_token.revoked', subject: `widget_token:${token_id}` });
    });
    return c.body(null, 204);
  },
);
