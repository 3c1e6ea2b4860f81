import { widgetQuery, widgets } from '@hissaback/shared/contracts/widgets';
import { listWidgets } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { decodeTimeCursor, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { widgetView } from './view.ts';

/** `GET /v1/widgets?campaign_id=`: the tenant's widgets, newest first. Another tenant's campaign has none. */
export const listWidgetsRoute = new Hono<ApiContext>().get(
  '/v1/widgets',
  operation({ id: 'listWidgets', summary: 'List widgets', answer: widgets }),
  authenticate(['creator']),
  queryInput(widgetQuery),
  async (c) => {
    const tenant_id = ownTenant(c.var.principal, undefined);
    const { campaign_id, cursor, limit } = c.req.valid('query').check();
    const after = decodeTimeCursor(cursor);
    const rows = await withTenant(c.var.db, tenant_id, (tx) =>
      listWidgets(tx, { tenant_id, campaign_id, after, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), last.widget_id]);
    return c.json(page.rows.map(widgetView), 200, page.headers);
  },
);
