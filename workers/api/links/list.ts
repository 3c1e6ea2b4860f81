import { linkQuery, links } from '@hissaback/shared/contracts/links';
import { PLATFORM_PREFIX } from '@hissaback/shared/contracts/published-link';
import { listLinks } from '@hissaback/shared/db/queries/links';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { decodeTimeCursor, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { linkView } from './view.ts';

/** `GET /v1/links?campaign_id&offer_id&domain&status&q=`: the tenant's links, newest first. Another tenant's campaign has none. */
export const listLinksRoute = new Hono<ApiContext>().get(
  '/v1/links',
  operation({ id: 'listLinks', summary: 'List links, newest first', answer: links }),
  authenticate(['creator']),
  queryInput(linkQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { campaign_id, offer_id, domain, status, q, cursor, limit } = input.check();
    const after = decodeTimeCursor(cursor);
    const host = domain === '' ? PLATFORM_PREFIX : domain;
    const rows = await withTenant(c.var.db, tenant_id, (tx) =>
      listLinks(tx, { tenant_id, campaign_id, offer_id, host, status, search: q, after, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), last.link_id]);
    return c.json(
      page.rows.map((row) => linkView(row, c.env.PLATFORM_ORIGIN)),
      200,
      page.headers,
    );
  },
);
