import { type Breakdown, breakdownQuery } from '@hissaback/shared/contracts/analytics';
import { breakdown } from '@hissaback/shared/db/queries/analytics';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { FIGURE_COLUMNS, figuresView } from './figures.ts';
import { rangeOf, zoneRefused } from './range.ts';

const MOST_DAYS = 366;

/**
 * `GET /v1/analytics/breakdown?by=link`: the same figures by link, campaign, offer, country, device, referring host or sub-id, strongest first; with
 * `format=csv` as a file.
 */
export const breakdownRoute = new Hono<ApiContext>().get(
  '/v1/analytics/breakdown',
  authenticate(['creator']),
  queryInput(breakdownQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { by, limit, time_zone, currency, format, ...asked } = input.check();
    const now = new Date(c.var.clock.now());
    const report = await withTenant(c.var.db, tenant_id, async (tx) => {
      const { from, to } = await rangeOf(tx, { ...asked, time_zone }, now, MOST_DAYS);
      const filters = { link_id: asked.link_id, campaign_id: asked.campaign_id, offer_id: asked.offer_id };
      return { from, to, rows: await breakdown(tx, { tenant_id, from, to, currency, by, limit, ...filters }) };
    }).catch(zoneRefused);
    const answer: Breakdown = {
      from: report.from.toISOString(),
      to: report.to.toISOString(),
      time_zone,
      currency,
      by,
      rows: report.rows.map((row) => ({ key: row.key, label: row.label, ...figuresView(row) })),
    };
    if (format === 'json') return c.json(answer);
    const lines = answer.rows.map((row) => [row.key, row.label, ...FIGURE_COLUMNS.map((name) => row[name]), currency]);
    return csvResponse(`hissaback-by-${by}`, [by, 'label', ...FIGURE_COLUMNS, 'currency'], lines);
  },
);
