import { widget, widgetChange } from '@hissaback/shared/contracts/widgets';
import { updateWidget, widgetById } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { assertCampaign } from './campaign.ts';
import { widgetView } from './view.ts';

/** `PATCH /v1/widgets/:widget_id {campaign_id?, config?}`. */
export const updateWidgetRoute = new Hono<ApiContext>().patch(
  '/v1/widgets/:widget_id',
  operation({ id: 'updateWidget', summary: 'Change a widget', answer: widget }),
  authenticate(['creator']),
  jsonInput(widgetChange),
  async (c) => {
    const { principal, db } = c.var;
    const input = c.req.valid('json');
    const tenant_id = ownTenant(principal, undefined);
    const widget_id = pathId(c.req.param('widget_id'));
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      if ((await widgetById(tx, { tenant_id, widget_id })) === null) throw new ProblemError('not_found');
      await assertCampaign(tx, tenant_id, input.id('campaign_id'));
      const change = input.check();
      const subject = `widget:${widget_id}`;
      await recordChange(c, tx, { tenant_id, action: 'widget.changed', subject, details: change });
      return updateWidget(tx, { tenant_id, widget_id, ...change });
    });
    if (row === null) throw new ProblemError('not_found');
    return c.json(widgetView(row));
  },
);
