import {
  REWARD_STATUSES,
  type RewardTotals,
  rewardTotalsQuery,
  rewardTotals as rewardTotalsShape,
} from '@hissaback/shared/contracts/rewards';
import { type RewardTotalsRow, rewardTotals } from '@hissaback/shared/db/queries/rewards';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';
import { ownSubject } from './own-subject.ts';

/** `GET /v1/rewards/totals`: one's own rewards in every tenant, summed by currency and status. */
export const rewardTotalsRoute = new Hono<ApiContext>().get(
  '/v1/rewards/totals',
  operation({ id: 'totalRewards', summary: 'Sum your rewards by currency and status', answer: rewardTotalsShape }),
  authenticate(['shopper', 'creator']),
  queryInput(rewardTotalsQuery),
  async (c) => {
    const input = c.req.valid('query');
    const user_id = ownSubject(c.var.principal, input.id('user_id'));
    input.check();
    const rows = await withUser(c.var.db, user_id, (tx) => rewardTotals(tx, { user_id }));
    return c.json(rows.map(totalsView));
  },
);

function totalsView(row: RewardTotalsRow): RewardTotals[number] {
  const sums = Object.fromEntries(REWARD_STATUSES.map((status) => [status, row.by_status[status] ?? '0.00']));
  return {
    currency: row.currency,
    ...(sums as Record<(typeof REWARD_STATUSES)[number], string>),
    available: row.available,
    reserved: row.reserved,
    receivable: row.receivable,
  };
}
