import { z } from 'zod';
import { currencyCode, instant, moneyText, offerId, pointInTime, uuid } from './fields.ts';

const period = z
  .string()
  .regex(/^[1-9]\d{0,2}d$/, { message: 'Must be a number of days such as 30d' })
  .transform((text) => Number(text.slice(0, -1)))
  .pipe(z.int().max(366))
  .default(30);

/** `GET /v1/analytics/creator`: `period` is a number of days, `1d` to `366d`. */
export const creatorAnalyticsQuery = z.object({
  tenant_id: uuid.optional(),
  period,
  currency: currencyCode.default('INR'),
});

/** `earnings` is the creator's side and `shared` the shoppers', neither rejected nor reversed, in `currency`. */
export const creatorAnalytics = z.object({
  clicks: z.int().min(0),
  conversions: z.int().min(0),
  earnings: moneyText,
  shared: moneyText,
  currency: z.string().length(3),
  /** What was earned in other currencies too. */
  by_currency: z.array(z.object({ currency: z.string().length(3), earnings: moneyText, shared: moneyText })),
});

/**
 * A time zone of the IANA database: an area and a place, or UTC. Abbreviations mean different zones to different programs (IST is Israel's to
 * PostgreSQL): India's is taken as Asia/Kolkata, the others are refused.
 */
const timeZone = z
  .string()
  .max(64)
  .transform((name) => (/^ist$/i.test(name) ? 'Asia/Kolkata' : name))
  .refine((name) => /^(?:UTC|GMT|[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)+)$/i.test(name) && isTimeZone(name), {
    message: 'Must be a time zone such as Asia/Kolkata',
  });

/** What narrows a report down: a range (`from` within, `to` beyond; else `period` days before today and today), and whose traffic. */
const reportQuery = {
  tenant_id: uuid.optional(),
  period,
  from: pointInTime.optional(),
  to: pointInTime.optional(),
  time_zone: timeZone.default('Asia/Kolkata'),
  currency: currencyCode.default('INR'),
  link_id: uuid.optional(),
  campaign_id: uuid.optional(),
  offer_id: offerId.optional(),
};

/** `GET /v1/analytics/timeseries`. */
export const timeSeriesQuery = z.object({ ...reportQuery, interval: z.enum(['hour', 'day']).default('day') });

export const BREAKDOWNS = ['link', 'campaign', 'offer', 'country', 'device', 'referrer', 'sub_id'] as const;

/** `GET /v1/analytics/breakdown`: the `limit` strongest by clicks. */
export const breakdownQuery = z.object({
  ...reportQuery,
  by: z.enum(BREAKDOWNS),
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(1_000))
    .default(100),
});

/** What was counted: a unique click is a visitor's first in what is counted; without a visitor every click is one. Money as in `creatorAnalytics`. */
const figures = {
  clicks: z.int().min(0),
  unique_clicks: z.int().min(0),
  conversions: z.int().min(0),
  order_value: moneyText,
  earnings: moneyText,
  shared: moneyText,
};

const range = { from: instant, to: instant, time_zone: z.string(), currency: z.string().length(3) };

export const timeSeries = z.object({
  ...range,
  interval: z.enum(['hour', 'day']),
  totals: z.object(figures),
  points: z.array(z.object({ start: instant, ...figures })),
});

export const breakdown = z.object({
  ...range,
  by: z.enum(BREAKDOWNS),
  /** `key` is an id or a value, null where there is none; `label` is its name. */
  rows: z.array(z.object({ key: z.string().nullable(), label: z.string().nullable(), ...figures })),
});

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export type CreatorAnalytics = z.output<typeof creatorAnalytics>;
export type TimeSeries = z.output<typeof timeSeries>;
export type Breakdown = z.output<typeof breakdown>;
export type BreakdownBy = (typeof BREAKDOWNS)[number];
