import { widget } from '@hissaback/shared/contracts/widgets';
import { widgetById } from '@hissaback/shared/db/queries/widgets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { widgetView } from './view.ts';

/** `GET /v1/widgets/:widget_id`: for its tenant, and for the widget itself, which learns from it how to look. */
export const getWidget = new Hono<ApiContext>().get(
  '/v1/widgets/:widget_id',
  operation({ id: 'getWidget', summary: 'Get a widget', answer: widget }),
  authenticate(['creator', 'widget']),
  async (c) => {
    const { principal, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const widget_id = pathId(c.req.param('widget_id'));
    if (principal.role === 'widget' && principal.sub !== widget_id) throw new ProblemError('not_found');
    const row = await withTenant(db, tenant_id, (tx) => widgetById(tx, { tenant_id, widget_id }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(widgetView(row));
  },
);
