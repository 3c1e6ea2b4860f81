import { listConversions, type TrackierConfig, TrackierError } from '@hissaback/shared/clients/trackier';
import { freeLease, holdLease } from '@hissaback/shared/db/queries/leases';
import {
  beginPoll,
  finishPoll,
  healMissingThere,
  longestCoolOff,
  missingThere,
  type Poll,
  recordFindings,
  savePoll,
  unfinishedPoll,
} from '@hissaback/shared/db/queries/reconciliation';
import { writeWatermark } from '@hissaback/shared/db/queries/schedules';
import type { Database } from '@hissaback/shared/db/types';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import type { Deps } from './deps.ts';
import { callNetwork } from './network-call.ts';
import { dayOf, takeNetworkRows } from './network-rows.ts';
import { pause } from './pause.ts';
import { whole } from './settings.ts';

const DAY_MS = 86_400_000;
/** Rows a page; the network's own most. */
const PAGE = 1_000;
/** The most that one stretch of days may list before it is cut in two. */
const CHUNK_ROWS = 100_000;
/** A run stops here and leaves the rest to the next: cron runs end after 15 minutes. */
const RUN_MS = 10 * 60_000;
/** An unfinished poll older than this is given up: its first pages say too little by now. */
const GIVEN_UP_AFTER_MS = DAY_MS;
/** Prolonged at every page; a run that died is followed up by the next one after this. */
const LEASE_MS = 30_000;
const LEASE_NAME = 'poll';
/** Days beyond the longest cool-off that a poll reaches back at least (money rule 10). */
const BEYOND_COOL_OFF_DAYS = 15;
/** The network is given this long to list a conversion that a postback told of. */
const LISTED_WITHIN_MS = 2 * DAY_MS;
const MISSING_AT_ONCE = 1_000;
/** How often one stretch is begun anew because its list shrank; then it is taken as it comes. */
const MOST_RESTARTS = 3;

export type PollCounts = { listed: number; sent: number; unreadable: number; polls_finished: number; more: number };

/**
 * Reads what the network lists over the trailing window, page by page at its pace, each page into the same path as postbacks. It notes how far it came:
 * a run that dies, or stops after ten minutes, is continued by the next. Of two runs at once one waits for the other's lease (fault 34).
 * @param wanted `fresh`: end with a poll begun by this run; `unfinished`: only go on with what another run left
 * @throws TrackierError, RangeError for a setting
 */
export async function poll(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
  wanted: 'fresh' | 'unfinished',
): Promise<PollCounts> {
  const counts: PollCounts = { listed: 0, sent: 0, unreadable: 0, polls_finished: 0, more: 0 };
  const lease = new PollLease(db, deps);
  if (!(await lease.take(wanted === 'fresh'))) return counts;
  const deadline = deps.clock.now() + RUN_MS;
  try {
    const left = await db.transaction((tx) => unfinishedPoll(tx, deps.clock.now() - GIVEN_UP_AFTER_MS));
    if (left !== null) await run(left);
    if (wanted === 'fresh' && counts.more === 0) await run(await begin(db, env, deps));
  } finally {
    await lease.free();
  }
  return counts;

  async function run(current: Poll): Promise<void> {
    const before = { listed: current.listed, sent: current.sent };
    try {
      if (await readPages(db, env, deps, current, lease, deadline, counts)) {
        await finish(db, deps, current, lease);
        counts.polls_finished += 1;
      } else counts.more = 1;
    } finally {
      counts.listed += Number(current.listed - before.listed);
      counts.sent += Number(current.sent - before.sent);
    }
  }
}

async function begin(db: Database, env: WebhookEnv, deps: Deps): Promise<Poll> {
  const setting = whole(env.RECONCILE_WINDOW_DAYS, 'RECONCILE_WINDOW_DAYS', 400);
  const now = deps.clock.now();
  return db.transaction(async (tx) => {
    const days = Math.max(setting, (await longestCoolOff(tx)) + BEYOND_COOL_OFF_DAYS);
    return beginPoll(tx, now, { start: dayOf(now - days * DAY_MS), end: dayOf(now) });
  });
}

/**
 * Reads on from where the poll stands; false if the deadline came first. A stretch whose list shrinks while it is read is read again from its first page:
 * rows have moved up, across the border of a page. One that grows only shows rows twice.
 */
async function readPages(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
  current: Poll,
  lease: PollLease,
  deadline: number,
  counts: { unreadable: number },
): Promise<boolean> {
  const config: TrackierConfig = { endpoint: env.TRACKIER_ENDPOINT, apiKey: env.TRACKIER_API_KEY, fetch: deps.fetch };
  let stretch = daysBetween(current.next_day, current.window_end);
  let seen: { total: number; perPage: number } | null = null;
  let restarts = 0;
  while (current.next_day <= current.window_end) {
    if (deps.clock.now() >= deadline) return false;
    await lease.prolong();
    const start = current.next_day;
    const end = current.chunk_end ?? earlier(addDays(start, stretch), current.window_end);
    const query = { start, end, page: current.next_page, limit: PAGE };
    const { rows, total, perPage } = await callNetwork(deps, () => listConversions(config, query));
    if (current.chunk_end === null && total > CHUNK_ROWS && start < end) {
      stretch = Math.floor(daysBetween(start, end) / 2);
      continue;
    }
    if (seen !== null && (total < seen.total || perPage !== seen.perPage) && restarts < MOST_RESTARTS) {
      restarts += 1;
      seen = null;
      current.next_page = 1;
      continue;
    }
    const isLast: boolean = current.next_page * perPage >= total;
    if (!isLast && rows.length < perPage)
      throw new TrackierError(200, `page ${current.next_page} of ${start} to ${end} ended after ${rows.length} rows`);
    // A row without the network's id could not be told from itself at the next poll.
    const known = rows.filter((row) => (row._id ?? '').trim() !== '');
    counts.unreadable += rows.length - known.length;
    const { sent } = await takeNetworkRows(db, env, deps, known, { source: 'poll', pollStartedAt: current.started_at });
    seen = isLast ? null : { total, perPage };
    if (isLast) restarts = 0;
    current.listed += BigInt(rows.length);
    current.sent += BigInt(sent);
    current.chunk_end = isLast ? null : end;
    current.next_page = isLast ? 1 : current.next_page + 1;
    if (isLast) current.next_day = addDays(end, 1);
    await db.transaction((tx) => savePoll(tx, current));
  }
  return true;
}

/** A poll counts from here on. What it should have listed and did not goes into the report, page by page. */
async function finish(db: Database, deps: Deps, current: Poll, lease: PollLease): Promise<void> {
  const at = deps.clock.now();
  const startedAt = current.started_at.getTime();
  // The edge of the window is left out: where only a postback told of a conversion, our time of it is a little later than the network's.
  const from = addDays(current.window_start, 1);
  const to = dayOf(startedAt - LISTED_WITHIN_MS);
  const window = {
    pollStartedAt: current.started_at,
    from: Date.parse(from),
    to: Date.parse(to),
    limit: MISSING_AT_ONCE,
  };
  for (let after: bigint | undefined = 0n; after !== undefined; ) {
    const behind: bigint = after;
    after = await db.transaction(async (tx) => {
      const findings = await missingThere(tx, { ...window, after: behind });
      await recordFindings(tx, { findings, agreed: [], source: 'poll', at });
      return findings[MISSING_AT_ONCE - 1]?.convId;
    });
    await lease.prolong();
  }
  await db.transaction(async (tx) => {
    await healMissingThere(tx, { at, from, to });
    await finishPoll(tx, current, at);
    await writeWatermark(tx, 'reconcile', { polled_from: startedAt });
  });
}

/** Only one run polls at a time. */
class PollLease {
  readonly #db: Database;
  readonly #deps: Deps;
  readonly #token: string;

  constructor(db: Database, deps: Deps) {
    this.#db = db;
    this.#deps = deps;
    this.#token = mintUuid(deps.random);
  }

  /** False while another run holds it; waits for it to end or die, if asked to. */
  async take(mayWait: boolean): Promise<boolean> {
    const tries = mayWait ? LEASE_MS / 1_000 + 5 : 1;
    for (let attempt = 0; attempt < tries; attempt++) {
      if (await this.prolong()) return true;
      if (attempt + 1 < tries) await (this.#deps.sleep ?? pause)(1_000);
    }
    return false;
  }

  prolong(): Promise<boolean> {
    const at = this.#deps.clock.now();
    return this.#db.transaction((tx) =>
      holdLease(tx, { name: LEASE_NAME, token: this.#token, at, until: at + LEASE_MS }),
    );
  }

  async free(): Promise<void> {
    await this.#db.transaction((tx) => freeLease(tx, { name: LEASE_NAME, token: this.#token }));
  }
}

function addDays(day: string, days: number): string {
  return dayOf(Date.parse(day) + days * DAY_MS);
}

function daysBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS));
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}
