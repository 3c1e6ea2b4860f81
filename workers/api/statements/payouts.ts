import { payoutStatementQuery } from '@hissaback/shared/contracts/payouts';
import { payoutsOfPeriod, type StatementPayout } from '@hissaback/shared/db/queries/statements';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { indianMinute, monthBounds } from '@hissaback/shared/domain/india-time';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

const PAGE = 5_000;
/** What one answer can hold in memory. */
const MOST_LINES = 100_000;
const HEADER = [
  ...[
    'payout_id',
    'tenant_id',
    'tenant',
    'side',
    'user_id',
    'amount',
    'currency',
    'status',
    'creation_request_id',
    'gc_id',
  ],
  ...['created_at_ist', 'issued_at_ist', 'paid_at_ist'],
];

/** `GET /v1/statements/payouts?month=2026-11&tenant_id`: every payout made or paid in a month of India's time, for finance. */
export const payoutStatement = new Hono<ApiContext>().get(
  '/v1/statements/payouts',
  operation({
    id: 'payoutStatement',
    summary: 'Download the payouts of a month, for finance',
    answer: { type: 'text/csv' },
    errors: ['body_too_large'],
  }),
  authenticate(['operator']),
  queryInput(payoutStatementQuery),
  async (c) => {
    const { db, principal } = c.var;
    const rows: StatementPayout[] = [];
    let month = '';
    for (;;) {
      const page = await withOperator(db, principal.sub, async (tx) => {
        await assertOperator(tx);
        const query = c.req.valid('query').check();
        month = query.month;
        const bounds = monthBounds(month);
        if (bounds === null) throw invalidField('month', 'Must be a month such as 2026-11');
        const last = rows.at(-1);
        return payoutsOfPeriod(tx, {
          ...{ from: new Date(bounds.from), to: new Date(bounds.to), tenant_id: query.tenant_id, limit: PAGE },
          after: last === undefined ? undefined : { at: last.created_at, id: last.payout_id },
        });
      });
      rows.push(...page);
      if (page.length < PAGE) break;
      if (rows.length >= MOST_LINES) {
        throw new ProblemError('body_too_large', { detail: 'There are more payouts than fit: name a tenant.' });
      }
    }
    return csvResponse(`hissaback-payouts-${month}`, HEADER, rows.map(line));
  },
);

function line(row: StatementPayout): (string | null)[] {
  const time = (at: Date | null) => (at === null ? null : indianMinute(at.getTime()));
  return [
    ...[row.payout_id, row.tenant_id, row.tenant, row.side, row.user_id, row.amount, row.currency, row.status],
    ...[row.creation_request_id, row.gc_id, time(row.created_at), time(row.issued_at), time(row.paid_at)],
  ];
}
