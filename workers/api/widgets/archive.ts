import { archiveWidget } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `DELETE /v1/widgets/:widget_id`: out of use for good, and its tokens with it; the clicks it made stay. */
export const archiveWidgetRoute = new Hono<ApiContext>().delete(
  '/v1/widgets/:widget_id',
  operation({
    id: 'archiveWidget',
    summary: 'Take a widget and its tokens out of use',
    answer: { 204: { description: 'Done' } },
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const widget_id = pathId(c.req.param('widget_id'));
    const at = new Date(clock.now());
    await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      if (!(await archiveWidget(tx, { tenant_id, widget_id, at }))) throw new ProblemError('not_found');
      await recordChange(c, tx, { tenant_id, action: 'widget.archived', subject: `widget:${widget_id}` });
    });
    return c.body(null, 204);
  },
);
