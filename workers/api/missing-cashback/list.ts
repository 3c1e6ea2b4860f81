import { missingCashbackQuery, missingCashbacks } from '@hissaback/shared/contracts/missing-cashback';
import { claimsOfUser, listClaims } from '@hissaback/shared/db/queries/missing-cashback';
import { withOperator, withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { decodeTimeCursor, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { claimView } from './view.ts';

/** `GET /v1/missing-cashback`: one's own claims, newest first; for an operator everybody's in a status, with the evidence. */
export const listMissingCashback = new Hono<ApiContext>().get(
  '/v1/missing-cashback',
  operation({
    id: 'listMissingCashback',
    summary: 'List claims of missing cashback: one’s own, or for an operator everybody’s in a status',
    answer: missingCashbacks,
  }),
  authenticate(['shopper', 'creator', 'operator']),
  queryInput(missingCashbackQuery),
  async (c) => {
    const { db, principal } = c.var;
    const isOperator = principal.role === 'operator';
    if (isOperator) await withOperator(db, principal.sub, assertOperator);
    const { status, cursor, limit } = c.req.valid('query').check();
    const wanted = { after: decodeTimeCursor(cursor), limit: limit + 1 };
    const rows = isOperator
      ? await withOperator(db, principal.sub, (tx) => listClaims(tx, { ...wanted, status }))
      : await withUser(db, principal.sub, (tx) => claimsOfUser(tx, { ...wanted, user_id: principal.sub }));
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), last.claim_id]);
    return c.json(
      page.rows.map((row) => claimView(row, isOperator)),
      200,
      page.headers,
    );
  },
);
