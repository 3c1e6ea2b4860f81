import { type CreatorAnalytics, creatorAnalytics, creatorAnalyticsQuery } from '@hissaback/shared/contracts/analytics';
import { creatorTotals } from '@hissaback/shared/db/queries/analytics';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

const DAY_MS = 86_400_000;

/**
 * `GET /v1/analytics/creator?tenant_id&period=30d`: clicks, conversions, the creator's earnings and what was shared with shoppers. The period is the
 * given number of whole days (UTC) before today, and today.
 */
export const creatorAnalyticsRoute = new Hono<ApiContext>().get(
  '/v1/analytics/creator',
  operation({
    id: 'getCreatorTotals',
    summary: 'Get clicks, conversions, earnings and what was shared',
    answer: creatorAnalytics,
  }),
  authenticate(['creator']),
  queryInput(creatorAnalyticsQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { period, currency } = input.check();
    const since = new Date(c.var.clock.now() - period * DAY_MS).toISOString().slice(0, 10);
    const totals = await withTenant(c.var.db, tenant_id, (tx) => creatorTotals(tx, { tenant_id, since }));
    const money = totals.amounts.find((amount) => amount.currency === currency);
    const answer: CreatorAnalytics = {
      clicks: Number(totals.clicks),
      conversions: Number(totals.conversions),
      earnings: money?.earnings ?? '0.00',
      shared: money?.shared ?? '0.00',
      currency,
      by_currency: totals.amounts,
    };
    return c.json(answer);
  },
);
