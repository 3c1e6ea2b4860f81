import { noticeQuery, notices } from '@hissaback/shared/contracts/notices';
import { listNotices } from '@hissaback/shared/db/queries/notices';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { BIGINT, decodeCursor, MICROSECONDS, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { noticeView } from './view.ts';

/** `GET /v1/notices`: what happened to the tenant's links without anybody of theirs, newest first. */
export const listNoticesRoute = new Hono<ApiContext>().get(
  '/v1/notices',
  operation({
    id: 'listNotices',
    summary: 'List what happened to your links without you, newest first',
    answer: notices,
  }),
  authenticate(['creator']),
  queryInput(noticeQuery),
  async (c) => {
    const tenant_id = ownTenant(c.var.principal, undefined);
    const { cursor, limit } = c.req.valid('query').check();
    const [at, id] = cursor === undefined ? [] : decodeCursor(cursor, [MICROSECONDS, BIGINT]);
    const after = at === undefined || id === undefined ? undefined : { at: BigInt(at), id: BigInt(id) };
    const rows = await withTenant(c.var.db, tenant_id, (tx) => listNotices(tx, { tenant_id, after, limit: limit + 1 }));
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), String(last.notice_id)]);
    return c.json(page.rows.map(noticeView), 200, page.headers);
  },
);
