import { unmatchedPostbacks, unmatchedQuery } from '@hissaback/shared/contracts/unmatched';
import { listUnmatched } from '@hissaback/shared/db/queries/unmatched';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { BIGINT, decodeCursor, MICROSECONDS, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { unmatchedView } from './view.ts';

/** `GET /v1/unmatched?status=open&reason=foreign_currency`: what the network said and nothing could be made of, newest first. */
export const listUnmatchedRoute = new Hono<ApiContext>().get(
  '/v1/unmatched',
  operation({ id: 'listUnmatched', summary: 'List postbacks that could not be matched', answer: unmatchedPostbacks }),
  authenticate(['operator']),
  queryInput(unmatchedQuery),
  async (c) => {
    const { page, headers } = await withOperator(c.var.db, c.var.principal.sub, async (tx) => {
      await assertOperator(tx);
      const { status, reason, cursor, limit } = c.req.valid('query').check();
      const [at, id] = cursor === undefined ? [] : decodeCursor(cursor, [MICROSECONDS, BIGINT]);
      const after = at === undefined || id === undefined ? undefined : { at: BigInt(at), id: BigInt(id) };
      const rows = await listUnmatched(tx, { status, reason, after, limit: limit + 1 });
      const cut = pageOf(rows, limit, c.req.url, (last) => [String(last.at), String(last.unmatched_id)]);
      return { page: cut.rows, headers: cut.headers };
    });
    return c.json(page.map(unmatchedView), 200, headers);
  },
);
