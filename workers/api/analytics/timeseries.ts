import { type TimeSeries, timeSeriesQuery } from '@hissaback/shared/contracts/analytics';
import { bucketsOf, timeSeries } from '@hissaback/shared/db/queries/analytics';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { FIGURE_COLUMNS, figuresView, NO_FIGURES } from './figures.ts';
import { rangeOf, zoneRefused } from './range.ts';

const MOST_DAYS = { hour: 31, day: 366 } as const;

/**
 * `GET /v1/analytics/timeseries?interval=day&period=30d&time_zone=Asia/Kolkata`: clicks, unique clicks, conversions and money of every hour or day, of
 * the tenant or of one link, campaign or offer; with `format=csv` as a file.
 */
export const timeSeriesRoute = new Hono<ApiContext>().get(
  '/v1/analytics/timeseries',
  authenticate(['creator']),
  queryInput(timeSeriesQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { interval, time_zone, currency, format, ...asked } = input.check();
    const now = new Date(c.var.clock.now());
    const report = await withTenant(c.var.db, tenant_id, async (tx) => {
      const { from, to } = await rangeOf(tx, { ...asked, time_zone }, now, MOST_DAYS[interval]);
      const filters = { link_id: asked.link_id, campaign_id: asked.campaign_id, offer_id: asked.offer_id };
      const buckets = await bucketsOf(tx, { from, to, interval, time_zone });
      return { from, to, buckets, rows: await timeSeries(tx, { tenant_id, from, to, currency, interval, time_zone, ...filters }) };
    }).catch(zoneRefused);
    const total = report.rows.find((row) => row.start === null);
    // A bucket without traffic is a point too.
    const points = new Map(report.buckets.map((start) => [start.getTime(), NO_FIGURES]));
    for (const row of report.rows) if (row.start !== null) points.set(row.start.getTime(), figuresView(row));
    const answer: TimeSeries = {
      from: report.from.toISOString(),
      to: report.to.toISOString(),
      time_zone,
      currency,
      interval,
      totals: total === undefined ? NO_FIGURES : figuresView(total),
      points: [...points]
        .sort(([a], [b]) => a - b)
        .map(([start, figures]) => ({ start: new Date(start).toISOString(), ...figures })),
    };
    if (format === 'json') return c.json(answer);
    const lines = answer.points.map((point) => [point.start, ...FIGURE_COLUMNS.map((name) => point[name]), currency]);
    return csvResponse(`hissaback-by-${interval}`, ['start', ...FIGURE_COLUMNS, 'currency'], lines);
  },
);
