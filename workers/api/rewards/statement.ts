import { statementQuery } from '@hissaback/shared/contracts/rewards';
import { type StatementRow, statementOfUser } from '@hissaback/shared/db/queries/rewards';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';
import { ownSubject } from './own-subject.ts';

const INDIA_MS = 5.5 * 3_600_000;
const MOST_LINES = 10_000;
const HEADER = ['date', 'kind', 'id', 'brand', 'status', 'amount', 'currency'];

/** `GET /v1/rewards/statement?month=2026-11`: one's own rewards and payouts of a month of India's time, as CSV. */
export const rewardStatement = new Hono<ApiContext>().get(
  '/v1/rewards/statement',
  operation({ id: 'rewardStatement', summary: 'Download your statement of a month', answer: { type: 'text/csv' } }),
  authenticate(['shopper', 'creator']),
  queryInput(statementQuery),
  async (c) => {
    const input = c.req.valid('query');
    const user_id = ownSubject(c.var.principal, input.id('user_id'));
    const { month } = input.check();
    const rows = await withUser(c.var.db, user_id, (tx) =>
      statementOfUser(tx, { user_id, ...monthOf(month), limit: MOST_LINES }),
    );
    return csvResponse(`hissaback-${month}`, HEADER, rows.map(line));
  },
);

/** The bounds of a month in India. */
function monthOf(month: string): { from: Date; to: Date } {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return { from: new Date(Date.UTC(year, number - 1) - INDIA_MS), to: new Date(Date.UTC(year, number) - INDIA_MS) };
}

function line(row: StatementRow): (string | null)[] {
  const date = new Date(row.at.getTime() + INDIA_MS).toISOString().slice(0, 10);
  // A payout takes from the balance what rewards have brought.
  const amount = row.kind === 'payout' ? `-${row.amount}` : row.amount;
  return [date, row.kind, row.id, row.brand, row.status, amount, row.currency];
}
