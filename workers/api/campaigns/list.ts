import { campaignQuery, campaigns } from '@hissaback/shared/contracts/campaigns';
import { listCampaigns } from '@hissaback/shared/db/queries/campaigns';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { decodeTimeCursor, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { campaignView } from './view.ts';

/** `GET /v1/campaigns?status&q=`: the tenant's campaigns, newest first. */
export const listCampaignsRoute = new Hono<ApiContext>().get(
  '/v1/campaigns',
  operation({ id: 'listCampaigns', summary: 'List campaigns, newest first', answer: campaigns }),
  authenticate(['creator']),
  queryInput(campaignQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { status, q, cursor, limit } = input.check();
    const after = decodeTimeCursor(cursor);
    const rows = await withTenant(c.var.db, tenant_id, (tx) =>
      listCampaigns(tx, { tenant_id, status, search: q, after, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), last.campaign_id]);
    return c.json(page.rows.map(campaignView), 200, page.headers);
  },
);
