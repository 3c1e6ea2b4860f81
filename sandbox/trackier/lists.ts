import { toMinor, wireNumber } from '../kit/decimal.ts';
import { type Answer, json } from '../kit/http.ts';
import { campaignsError, conversionsError, plainError } from './errors.ts';
import { type Campaign, type Conversion, P_NAMES, STATUSES } from './model.ts';
import type { NetworkStore } from './store.ts';

const DEFAULT_CAMPAIGN_LIMIT = 1000;
const CONVERSION_LIMITS = { least: 100, most: 1000 };
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** `GET /v2/publisher/campaigns`: `trackingLink` makes a campaign's link. */
export function campaignsPage(
  query: URLSearchParams,
  store: NetworkStore,
  trackingLink: (id: number) => string,
): Answer {
  const page = positive(query.get('page'), 1);
  const limit = positive(query.get('limit'), DEFAULT_CAMPAIGN_LIMIT);
  if (page === undefined || limit === undefined || limit > DEFAULT_CAMPAIGN_LIMIT) {
    return campaignsError(400, 'page and limit must be positive integers, limit at most 1000');
  }
  const categories = query.getAll('categories[]').map((category) => category.toLowerCase());
  const approvedOnly = ['1', 'true'].includes(query.get('showApproved') ?? '');
  const matching = store
    .campaigns()
    .filter((campaign) => campaign.status === 'active' && (campaign.approved || !approvedOnly))
    .filter((campaign) => categories.length === 0 || campaign.categories.some((own) => categories.includes(own)));
  const campaigns = matching.slice((page - 1) * limit, page * limit).map((campaign) => listed(campaign, trackingLink));
  return json(200, { success: true, data: { campaigns, page, count: matching.length } });
}

function listed({ approved, ...campaign }: Campaign, trackingLink: (id: number) => string) {
  // Who may not promote a campaign sees it without a link.
  return { ...campaign, tracking_link: approved ? trackingLink(campaign.id) : '', kpi: null, description: '' };
}

/** `GET /v2/publishers/conversions`: every publisher's, newest first, by the (UTC) day they were created. */
export function conversionsPage(query: URLSearchParams, store: NetworkStore): Answer {
  const start = query.get('start') ?? '';
  const end = query.get('end') ?? '';
  if (!isDay(start) || !isDay(end)) return conversionsError(400, 'start and end must be dates as YYYY-MM-DD');
  if (start > end) return conversionsError(400, 'start must not be after end');
  const page = positive(query.get('page'), 1);
  const limit = positive(query.get('limit'), CONVERSION_LIMITS.least);
  if (page === undefined) return conversionsError(400, 'page must be a positive integer');
  if (limit === undefined || limit < CONVERSION_LIMITS.least || limit > CONVERSION_LIMITS.most) {
    return conversionsError(400, 'limit must be between 100 and 1000');
  }
  const status = query.get('status');
  if (status !== null && !STATUSES.some((known) => known === status)) {
    return conversionsError(400, 'status must be approved, pending, cancelled or rejected');
  }
  const matching = store
    .conversions()
    .filter(({ created }) => created.slice(0, 10) >= start && created.slice(0, 10) <= end)
    .filter((conversion) => status === null || conversion.status === status);
  const conversions = matching.slice((page - 1) * limit, page * limit).map(conversionRow);
  return json(200, { conversions, pagination: { perPage: limit, currentPage: page, total: matching.length } });
}

/** A conversion as the network lists it: no sale amount, the payout a number. */
function conversionRow({ sale_amount: _, payout, ...conversion }: Conversion) {
  return { ...conversion, payout: wireNumber(toMinor(payout) ?? 0n), orig_sale_currency: conversion.currency };
}

const CSV_COLUMNS = [
  '_id',
  'click_id',
  'p1',
  'goal_id',
  'txn_id',
  'currency',
  'payout',
  'sale_amount',
  'status',
  'country',
  'created',
  'modified',
  'campaign_id',
  'publisher_id',
] as const satisfies readonly (keyof Conversion)[];

/** `GET /daily.csv`: the conversions created on the (UTC) day `date`, as they stand now. */
export function dailyCsv(query: URLSearchParams, store: NetworkStore): Answer {
  const date = query.get('date') ?? '';
  if (!isDay(date)) return plainError(400, 'date must be YYYY-MM-DD');
  const rows = store
    .conversions()
    .filter(({ created }) => created.startsWith(date))
    .reverse()
    .map((conversion) => CSV_COLUMNS.map((column) => csvField(conversion[column])).join(','));
  const headers = { 'content-type': 'text/csv; charset=utf-8' };
  return { status: 200, headers, body: `${[CSV_COLUMNS.join(','), ...rows].join('\r\n')}\r\n` };
}

function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isDay(text: string): boolean {
  return DAY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

function positive(text: string | null, absent: number): number | undefined {
  if (text === null || text === '') return absent;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/** The ten publisher parameters of a query. */
export function publisherParameters(query: URLSearchParams) {
  const entries = P_NAMES.map((name) => [name, (query.get(name) ?? '').slice(0, 500)] as const);
  return Object.fromEntries(entries) as Record<(typeof P_NAMES)[number], string>;
}
