import { listConversions, TrackierError } from '@hissaback/shared/clients/trackier';
import type { EventSource, PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import { alreadyAsListed } from '@hissaback/shared/db/queries/reconciliation';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import type { Database } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { keepAsEvidence } from '@hissaback/shared/domain/text';
import { parse } from 'csv-parse/sync';
import type { Deps } from './deps.ts';
import { pause } from './pause.ts';
import { whole } from './settings.ts';

const DAY_MS = 86_400_000;
const PAGE = 1_000;
const MOST_PAGES = 1_000;
const BETWEEN_PAGES_MS = 250;
const CSV_LIMIT = 64 * 1024 * 1024;

/**
 * Reconciliation (architecture, flow 8): everything the network lists over the trailing window enters the same path as postbacks, so what is
 * missing here is credited and what was cancelled there is reversed. Rows that say nothing new are not sent again. Then yesterday's CSV.
 */
export async function reconcile(db: Database, env: WebhookEnv, deps: Deps): Promise<Record<string, number>> {
  const startedAt = deps.clock.now();
  const counts = { listed: 0, sent: 0, csv_listed: 0, csv_sent: 0 };
  for await (const rows of polledRows(env, deps, startedAt)) {
    counts.listed += rows.length;
    counts.sent += await sendNews(db, env, deps, 'poll', rows);
  }
  // Release waits for a poll begun after the cool-off ended (money rule 10): only a whole one counts.
  await db.transaction((tx) => writeWatermark(tx, 'reconcile', { polled_from: startedAt }));
  if (env.TRACKIER_CSV_URL !== '') await importCsv(db, env, deps, startedAt, counts);
  return counts;
}

async function* polledRows(env: WebhookEnv, deps: Deps, now: number): AsyncGenerator<Record<string, string>[]> {
  const config = { endpoint: env.TRACKIER_ENDPOINT, apiKey: env.TRACKIER_API_KEY, fetch: deps.fetch };
  const days = whole(env.RECONCILE_WINDOW_DAYS, 'RECONCILE_WINDOW_DAYS', 400);
  const start = dayOf(now - days * DAY_MS);
  const end = dayOf(now);
  let seen = 0;
  for (let page = 1; page <= MOST_PAGES; page++) {
    const { rows, total } = await listConversions(config, { start, end, page, limit: PAGE });
    seen += rows.length;
    yield rows;
    if (seen >= total) return;
    if (rows.length === 0) throw new TrackierError(200, `the list ended after ${seen} of ${total} conversions`);
    await pause(BETWEEN_PAGES_MS);
  }
  throw new TrackierError(200, `more than ${MOST_PAGES * PAGE} conversions in ${days} days`);
}

async function importCsv(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
  now: number,
  counts: { csv_listed: number; csv_sent: number },
): Promise<void> {
  const url = new URL(env.TRACKIER_CSV_URL);
  const mark = await db.transaction((tx) => readWatermark(tx, 'reconcile'));
  const yesterday = dayOf(now - DAY_MS);
  if (mark.csv_day === yesterday) return;
  url.searchParams.set('date', yesterday);
  const response = await deps.fetch(url.href, { signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  if (!response.ok || text.length > CSV_LIMIT) throw new TrackierError(response.status, 'the daily CSV cannot be read');
  const rows = parse(text, { columns: true, skip_empty_lines: true, bom: true }) as Record<string, string>[];
  counts.csv_listed = rows.length;
  for (let at = 0; at < rows.length; at += PAGE)
    counts.csv_sent += await sendNews(db, env, deps, 'csv', rows.slice(at, at + PAGE));
  await db.transaction((tx) => writeWatermark(tx, 'reconcile', { csv_day: yesterday }));
}

/** Sends the rows that differ from what the books hold. */
async function sendNews(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
  source: EventSource,
  rows: readonly Record<string, string>[],
): Promise<number> {
  const known = await db.transaction((tx) => alreadyAsListed(tx, rows));
  const news = rows.filter((_, index) => !known.has(index));
  for (let at = 0; at < news.length; at += 100)
    await env.POSTBACKS.sendBatch(
      news.slice(at, at + 100).map((row) => ({
        body: {
          kind: 'event',
          postback_id: String(mintId(deps.clock, deps.random)),
          source,
          raw: keepAsEvidence(Object.entries(row), []),
        } satisfies PostbackMessage,
      })),
    );
  return news.length;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
