import { type TimeSeries, timeSeriesQuery, timeSeries as timeSeriesShape } from '@hissaback/shared/contracts/analytics';
import { bucketsOf, timeSeries } from '@hissaback/shared/db/queries/analytics';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { type Input, queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { FIGURE_COLUMNS, figuresView, NO_FIGURES } from './figures.ts';
import { rangeOf, reportRefused } from './range.ts';

const MOST_DAYS = { hour: 31, day: 366 } as const;

/**
 * `GET /v1/analytics/timeseries?interval=day&period=30d&time_zone=Asia/Kolkata`: clicks, unique clicks, conversions and money of every hour or day, of
 * the tenant or of one link, campaign or offer.
 */
export const timeSeriesRoute = new Hono<ApiContext>().get(
  '/v1/analytics/timeseries',
  operation({ id: 'analyticsTimeSeries', summary: 'Count traffic and money by hour or day', answer: timeSeriesShape }),
  authenticate(['creator']),
  queryInput(timeSeriesQuery),
  async (c) => c.json(await report(c, c.req.valid('query'))),
);

/** `GET /v1/analytics/timeseries.csv`: the same as a file. */
export const timeSeriesCsv = new Hono<ApiContext>().get(
  '/v1/analytics/timeseries.csv',
  operation({
    id: 'downloadTimeSeries',
    summary: 'Download traffic and money by hour or day',
    answer: { type: 'text/csv' },
  }),
  authenticate(['creator']),
  queryInput(timeSeriesQuery),
  async (c) => {
    const { interval, currency, points } = await report(c, c.req.valid('query'));
    const lines = points.map((point) => [point.start, ...FIGURE_COLUMNS.map((name) => point[name]), currency]);
    return csvResponse(`hissaback-by-${interval}`, ['start', ...FIGURE_COLUMNS, 'currency'], lines);
  },
);

async function report(c: Context<ApiContext>, input: Input<z.output<typeof timeSeriesQuery>>): Promise<TimeSeries> {
  const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
  const { interval, time_zone, currency, link_id, campaign_id, offer_id, ...asked } = input.check();
  const now = new Date(c.var.clock.now());
  const { range, buckets, rows } = await withTenant(c.var.db, tenant_id, async (tx) => {
    const range = await rangeOf(tx, { ...asked, time_zone }, now, MOST_DAYS[interval]);
    const filters = { tenant_id, link_id, campaign_id, offer_id };
    return {
      range,
      buckets: await bucketsOf(tx, { ...range, interval, time_zone }),
      rows: await timeSeries(tx, { ...filters, ...range, currency, interval, time_zone }),
    };
  }).catch(reportRefused);
  const total = rows.find((row) => row.start === null);
  // A bucket without traffic is a point too.
  const points = new Map(buckets.map((start) => [start.getTime(), NO_FIGURES]));
  for (const row of rows) if (row.start !== null) points.set(row.start.getTime(), figuresView(row));
  return {
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    time_zone,
    currency,
    interval,
    totals: total === undefined ? NO_FIGURES : figuresView(total),
    points: [...points]
      .sort(([a], [b]) => a - b)
      .map(([start, figures]) => ({ start: new Date(start).toISOString(), ...figures })),
  };
}
