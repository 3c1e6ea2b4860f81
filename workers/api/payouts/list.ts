import { type PayoutView, payoutQuery, payouts } from '@hissaback/shared/contracts/payouts';
import { type ListedPayout, listPayouts } from '@hissaback/shared/db/queries/payouts-operator';
import { withOperator, withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { decodeTimeCursor, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';

/** `GET /v1/payouts?status&tenant_id&user_id&delivery`: everybody's for operators, one's own for anybody else; newest first, never with a code. */
export const listPayoutsRoute = new Hono<ApiContext>().get(
  '/v1/payouts',
  operation({
    id: 'listPayouts',
    summary: 'List payouts, newest first: all of them for operators, the own ones for others',
    answer: payouts,
  }),
  authenticate(['shopper', 'creator', 'operator'], { scope: null }),
  queryInput(payoutQuery),
  async (c) => {
    const { principal, db } = c.var;
    const input = c.req.valid('query');
    const isOperator = principal.role === 'operator';
    const named = input.id('user_id');
    if (!isOperator && named !== undefined && named !== principal.sub) {
      throw new ProblemError('forbidden', { detail: "user_id must be the token's own subject." });
    }
    const find = () => {
      const { cursor, limit, ...filters } = input.check();
      const user_id = isOperator ? filters.user_id : principal.sub;
      return { ...filters, user_id, after: decodeTimeCursor(cursor), limit: limit + 1 };
    };
    const rows = isOperator
      ? await withOperator(db, principal.sub, async (tx) => {
          await assertOperator(tx);
          return listPayouts(tx, find());
        })
      : await withUser(db, principal.sub, (tx) => listPayouts(tx, find()));
    const page = pageOf(rows, input.check().limit, c.req.url, (last) => [String(last.at), last.payout_id]);
    return c.json(
      page.rows.map((row) => payoutView(row, isOperator)),
      200,
      page.headers,
    );
  },
);

function payoutView(row: ListedPayout, isOperator: boolean): PayoutView {
  return {
    payout_id: row.payout_id,
    tenant_id: row.tenant_id,
    side: row.side,
    user_id: row.user_id,
    amount: row.amount,
    currency: row.currency,
    status: row.status,
    held_at: row.held_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    issued_at: row.issued_at?.toISOString() ?? null,
    paid_at: row.paid_at?.toISOString() ?? null,
    ...(isOperator && {
      operations: {
        attempts: row.attempts,
        sms_attempts: row.sms_attempts,
        error_code: row.error_code,
        error_type: row.error_type,
        creation_request_id: row.creation_request_id,
        gc_id: row.gc_id,
        next_attempt_at: row.next_attempt_at.toISOString(),
        held_by: row.held_by,
        is_cancelling: row.cancelling,
        resolved_at: row.resolved_at?.toISOString() ?? null,
        message:
          row.message_status === null || row.message_at === null
            ? null
            : {
                status: row.message_status,
                delivery: row.delivery,
                reason: row.message_reason,
                at: row.message_at.toISOString(),
              },
      },
    }),
  };
}
