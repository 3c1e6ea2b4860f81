import { conversionQuery, conversions } from '@hissaback/shared/contracts/conversions';
import { listConversions } from '@hissaback/shared/db/queries/conversions';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { BIGINT, decodeCursor, MICROSECONDS, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { conversionView } from './view.ts';

/** `GET /v1/conversions`: the tenant's conversions with their rewards and what was heard of them, newest first. */
export const listConversionsRoute = new Hono<ApiContext>().get(
  '/v1/conversions',
  operation({
    id: 'listConversions',
    summary: 'List the conversions of a tenant, with what became of each',
    answer: conversions,
  }),
  authenticate(['creator']),
  queryInput(conversionQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { cursor, limit, ...filters } = input.check();
    const [at, id] = cursor === undefined ? [] : decodeCursor(cursor, [MICROSECONDS, BIGINT]);
    const after = at === undefined || id === undefined ? undefined : { at: BigInt(at), id: BigInt(id) };
    const rows = await withTenant(c.var.db, tenant_id, (tx) =>
      listConversions(tx, { ...filters, tenant_id, after, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), String(last.conv_id)]);
    return c.json(page.rows.map(conversionView), 200, page.headers);
  },
);
