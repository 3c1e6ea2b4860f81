import { type Breakdown, breakdownQuery, breakdown as breakdownShape } from '@hissaback/shared/contracts/analytics';
import { breakdown } from '@hissaback/shared/db/queries/analytics';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { type Input, queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { FIGURE_COLUMNS, figuresView } from './figures.ts';
import { rangeOf, reportRefused } from './range.ts';

const MOST_DAYS = 366;

/** `GET /v1/analytics/breakdown?by=link`: the same figures by link, campaign, offer, country, device, referring host or sub-id, strongest first. */
export const breakdownRoute = new Hono<ApiContext>().get(
  '/v1/analytics/breakdown',
  operation({ id: 'analyticsBreakdown', summary: 'Break traffic and money down', answer: breakdownShape }),
  authenticate(['creator']),
  queryInput(breakdownQuery),
  async (c) => c.json(await report(c, c.req.valid('query'))),
);

/** `GET /v1/analytics/breakdown.csv`: the same as a file. */
export const breakdownCsv = new Hono<ApiContext>().get(
  '/v1/analytics/breakdown.csv',
  operation({ id: 'downloadBreakdown', summary: 'Download a breakdown', answer: { type: 'text/csv' } }),
  authenticate(['creator']),
  queryInput(breakdownQuery),
  async (c) => {
    const { by, currency, rows } = await report(c, c.req.valid('query'));
    const lines = rows.map((row) => [row.key, row.label, ...FIGURE_COLUMNS.map((name) => row[name]), currency]);
    return csvResponse(`hissaback-by-${by}`, [by, 'label', ...FIGURE_COLUMNS, 'currency'], lines);
  },
);

async function report(c: Context<ApiContext>, input: Input<z.output<typeof breakdownQuery>>): Promise<Breakdown> {
  const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
  const { by, limit, time_zone, currency, link_id, campaign_id, offer_id, ...asked } = input.check();
  const now = new Date(c.var.clock.now());
  const { range, rows } = await withTenant(c.var.db, tenant_id, async (tx) => {
    const range = await rangeOf(tx, { ...asked, time_zone }, now, MOST_DAYS);
    const filters = { tenant_id, link_id, campaign_id, offer_id };
    return { range, rows: await breakdown(tx, { ...filters, ...range, currency, by, limit }) };
  }).catch(reportRefused);
  return {
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    time_zone,
    currency,
    by,
    rows: rows.map((row) => ({ key: row.key, label: row.label, ...figuresView(row) })),
  };
}
