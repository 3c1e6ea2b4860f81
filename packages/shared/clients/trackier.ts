import { z } from 'zod';

/** Where the network is and who asks. */
export type TrackierConfig = { endpoint: string; apiKey: string; fetch: typeof fetch; timeoutMs?: number };

/** The network did not answer as it should: an error of its own, an HTTP error, or something that is no list. */
export class TrackierError extends Error {
  override readonly name = 'TrackierError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 20_000;
/** A day's file may have hundreds of thousands of rows, and is read no faster than the queue takes them. */
const CSV_TIMEOUT_MS = 10 * 60_000;
/** The longest answer that is read, in bytes: a page of 1,000 rows has about 600 kB. */
const ANSWER_LIMIT = 8 * 1024 * 1024;

// Numbers become text at once: nothing that is money is ever a float of ours.
const decimal = z.union([z.number().finite(), z.string()]).transform((value) => decimalText(value));

const campaign = z.object({
  id: z.number().int().positive().max(2_147_483_647),
  title: z.string().min(1).max(300),
  currency: z.string().nullish(),
  model: z.enum(['cpa', 'cpi', 'cpc', 'cpm', 'cps']),
  tracking_link: z.string().nullish(),
  preview_url: z.string().nullish(),
  categories: z.array(z.string()).nullish(),
  payouts: z
    .array(z.object({ payout: decimal.nullish(), fixedPayout: decimal.nullish(), geo: z.array(z.string()).nullish() }))
    .nullish(),
});
export type TrackierCampaign = z.infer<typeof campaign>;

const campaignsPage = z.object({
  success: z.literal(true),
  data: z.object({ campaigns: z.array(z.unknown()), count: z.number().int().nonnegative() }),
});

const conversionsPage = z.object({
  conversions: z.array(z.record(z.string(), z.unknown())),
  pagination: z.object({ perPage: z.number(), currentPage: z.number(), total: z.number().int().nonnegative() }),
});

const listedId = z.object({ id: campaign.shape.id });

/**
 * One page of the campaigns this publisher may promote. Rows that are no campaigns are counted in `unreadable`; `unreadableIds` are those of them whose
 * id can be read at least.
 * @throws TrackierError
 */
export async function listCampaigns(
  config: TrackierConfig,
  page: number,
  limit: number,
): Promise<{
  campaigns: TrackierCampaign[];
  unreadable: number;
  unreadableIds: number[];
  rows: number;
  count: number;
}> {
  const answer = await get(config, '/v2/publisher/campaigns', {
    page: String(page),
    limit: String(limit),
    showApproved: 'true',
  });
  const parsed = campaignsPage.safeParse(answer);
  if (!parsed.success) throw new TrackierError(200, 'the list of campaigns has another shape');
  const listed = parsed.data.data.campaigns;
  const campaigns: TrackierCampaign[] = [];
  const unreadableIds: number[] = [];
  for (const row of listed) {
    const read = campaign.safeParse(row);
    if (read.success) campaigns.push(read.data);
    else unreadableIds.push(...[listedId.safeParse(row)].flatMap((id) => (id.success ? [id.data.id] : [])));
  }
  return {
    campaigns,
    unreadable: listed.length - campaigns.length,
    unreadableIds,
    rows: listed.length,
    count: parsed.data.data.count,
  };
}

/**
 * One page of the conversions created from `start` to `end` (UTC days, inclusive), every value as text. `perPage` is how many rows the network puts on
 * a page, which may be fewer than asked for.
 * @throws TrackierError
 */
export async function listConversions(
  config: TrackierConfig,
  query: { start: string; end: string; page: number; limit: number },
): Promise<{ rows: Record<string, string>[]; total: number; perPage: number }> {
  const answer = await get(config, '/v2/publishers/conversions', {
    start: query.start,
    end: query.end,
    page: String(query.page),
    limit: String(query.limit),
  });
  const parsed = conversionsPage.safeParse(answer);
  if (!parsed.success) throw new TrackierError(200, 'the list of conversions has another shape');
  const { perPage, total } = parsed.data.pagination;
  const isFewer = Number.isInteger(perPage) && perPage > 0 && perPage < query.limit;
  return { rows: parsed.data.conversions.map(textRow), total, perPage: isFewer ? perPage : query.limit };
}

/**
 * The network's CSV of the conversions created on `day` (UTC, YYYY-MM-DD), to be read as it arrives.
 * @throws TrackierError
 */
export async function downloadCsv(
  config: { url: string; fetch: typeof fetch },
  day: string,
): Promise<ReadableStream<Uint8Array>> {
  const url = new URL(config.url);
  url.searchParams.set('date', day);
  const response = await config.fetch(url.href, { signal: AbortSignal.timeout(CSV_TIMEOUT_MS) });
  if (response.ok && response.body !== null) return response.body;
  await response.body?.cancel();
  throw new TrackierError(response.status, `the daily CSV was answered with ${response.status}`);
}

/** The scalars of a row as text; nulls are left out. */
function textRow(row: Record<string, unknown>): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'string') text[name] = value;
    else if (typeof value === 'number') text[name] = decimalText(value);
  }
  return text;
}

/** A number as it was meant: what a float adds behind the sixth decimal (23.400000000000002, 29.989999999999998) is no part of an amount. */
function decimalText(value: number | string): string {
  if (typeof value === 'string') return value;
  const text = String(value);
  // 1e-7 and the like: less than any amount we know.
  return text.includes('e') || /[.]\d{7}/.test(text) ? value.toFixed(6) : text;
}

async function get(config: TrackierConfig, path: string, query: Record<string, string>): Promise<unknown> {
  const url = `${config.endpoint.replace(/\/$/, '')}${path}?${new URLSearchParams(query)}`;
  const response = await config.fetch(url, {
    headers: { 'x-api-key': config.apiKey, accept: 'application/json' },
    signal: AbortSignal.timeout(config.timeoutMs ?? TIMEOUT_MS),
  });
  const text = await boundedText(response);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new TrackierError(response.status, 'the answer is not JSON');
  }
  const refused = typeof body === 'object' && body !== null && 'success' in body && body.success === false;
  if (!response.ok || refused) throw new TrackierError(response.status, `the network answered ${response.status}`);
  return body;
}

/** An answer's text, read no further than it may be long. */
async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > ANSWER_LIMIT) {
      await reader.cancel().catch(() => undefined);
      throw new TrackierError(response.status, 'the answer is too long');
    }
    text += decoder.decode(value, { stream: true });
  }
}
