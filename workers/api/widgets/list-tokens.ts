import { widgetTokens } from '@hissaback/shared/contracts/widgets';
import { listWidgetTokens, widgetById } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { widgetTokenView } from './view.ts';

/** `GET /v1/widgets/:widget_id/tokens`: those in use, newest first. */
export const listWidgetTokensRoute = new Hono<ApiContext>().get(
  '/v1/widgets/:widget_id/tokens',
  operation({ id: 'listWidgetTokens', summary: 'List the tokens of a widget in use', answer: widgetTokens }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const widget_id = pathId(c.req.param('widget_id'));
    const rows = await withTenant(db, tenant_id, async (tx) => {
      if ((await widgetById(tx, { tenant_id, widget_id })) === null) throw new ProblemError('not_found');
      return listWidgetTokens(tx, { tenant_id, widget_id, at: new Date(clock.now()) });
    });
    return c.json(rows.map(widgetTokenView));
  },
);
