import { newWidget, widget } from '@hissaback/shared/contracts/widgets';
import { insertWidget } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { assertCampaign } from './campaign.ts';
import { widgetView } from './view.ts';

/** `POST /v1/widgets {campaign_id, config?}`. */
export const createWidget = new Hono<ApiContext>().post(
  '/v1/widgets',
  operation({ id: 'createWidget', summary: 'Create a widget', answer: widget, errors: ['not_found'] }),
  authenticate(['creator']),
  jsonInput(newWidget),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const input = c.req.valid('json');
    const tenant_id = ownTenant(principal, undefined);
    const widget_id = mintUuid(random);
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      await assertCampaign(tx, tenant_id, input.id('campaign_id'));
      const made = await insertWidget(tx, { ...input.check(), widget_id, tenant_id, at: new Date(clock.now()) });
      await recordChange(c, tx, { tenant_id, action: 'widget.created', subject: `widget:${widget_id}` });
      return made;
    });
    return c.json(widgetView(row));
  },
);
