import type { EventSource, PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import {
  type Agreed,
  compareWithBooks,
  type Finding,
  markListed,
  type NetworkRow,
  recordFindings,
  tenantsOfLinks,
} from '@hissaback/shared/db/queries/reconciliation';
import type { Database, Tx } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { keepAsEvidence, storable } from '@hissaback/shared/domain/text';
import type { Deps } from './deps.ts';
import { pause } from './pause.ts';
import { readClick } from './read-click.ts';

const MESSAGES_AT_ONCE = 100;
/** Waits before a full queue is asked again, in milliseconds: it takes 5,000 messages a second. */
const QUEUE_BACKOFF_MS = [200, 1_000, 3_000, 10_000];

/** What became of rows: sent to the consumer because they say something new, or known as they are. */
export type RowCounts = { sent: number; known: number };
/** With the id of the last message that was sent. */
export type Sent = RowCounts & { lastId: bigint | null };

/**
 * Takes rows of the network's list or CSV: those that say something new enter the same path as postbacks, and where the books differ is kept for the
 * report. With `pollStartedAt` the rows are a poll's, and what it listed is noted (money rule 10).
 */
export async function takeNetworkRows(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
  given: readonly NetworkRow[],
  from: { source: 'poll' | 'csv'; pollStartedAt?: Date },
): Promise<Sent> {
  if (given.length === 0) return { sent: 0, known: 0, lastId: null };
  const rows = given.map(storableRow);
  const at = deps.clock.now();
  const news = await db.transaction(async (tx) => {
    const answers = await compareWithBooks(tx, rows, env.CREDIT_CURRENCY);
    const tenants = await tenantsByReference(tx, env, rows, answers, at);
    if (from.pollStartedAt !== undefined) await markListed(tx, rows, from.pollStartedAt);
    const findings: Finding[] = [];
    const agreed: Agreed[] = [];
    const unheard: NetworkRow[] = [];
    for (const [index, row] of rows.entries()) {
      const answer = answers[index];
      const key = `net:${row._id ?? ''}`;
      if (answer === undefined || answer.standing === 'waiting') continue;
      if (answer.standing === 'same' || answer.standing === 'dismissed') {
        agreed.push({ key, convId: answer.convId, tenantId: answer.tenantId });
        continue;
      }
      if (answer.isNews) unheard.push(row);
      if ((row._id ?? '') === '') continue;
      findings.push({
        kind: answer.standing,
        key: key.slice(0, 160),
        tenantId: answer.tenantId ?? tenants.get(index) ?? null,
        day: dayOf(timeOf(row) ?? at),
        networkId: row._id?.slice(0, 64) ?? null,
        convId: answer.convId,
        offerId: offerOf(row),
        here: answer.here,
        there: keepAsEvidence(Object.entries(pick(row)), []),
      });
    }
    await recordFindings(tx, { findings, agreed, source: from.source, at });
    return unheard;
  });
  const lastId = await sendRows(env, deps, from.source, news);
  return { sent: news.length, known: rows.length - news.length, lastId };
}

/** What `takeNetworkRows` would do with rows, without doing it. */
export async function foreseeNetworkRows(
  db: Database,
  env: WebhookEnv,
  rows: readonly NetworkRow[],
): Promise<RowCounts> {
  if (rows.length === 0) return { sent: 0, known: 0 };
  const answers = await db.transaction((tx) => compareWithBooks(tx, rows.map(storableRow), env.CREDIT_CURRENCY));
  const sent = answers.filter(({ isNews }) => isNews).length;
  return { sent, known: rows.length - sent };
}

/** Whose what is missing here is, by the link in our reference, as the network's rows need not name a publisher. By index. */
async function tenantsByReference(
  tx: Tx,
  env: WebhookEnv,
  rows: readonly NetworkRow[],
  answers: readonly { tenantId: string | null }[],
  at: number,
): Promise<Map<number, string>> {
  const links = new Map<number, string>();
  for (const [index, { p1 = '' }] of rows.entries()) {
    if (answers[index]?.tenantId !== null || p1 === '') continue;
    const click = await readClick(p1, env, at);
    if (click?.kind === 'reference') links.set(index, click.linkId);
  }
  const tenants = await tenantsOfLinks(tx, [...new Set(links.values())]);
  return new Map(
    [...links].flatMap(([index, link]) => {
      const tenantId = tenants.get(link);
      return tenantId === undefined ? [] : [[index, tenantId] as const];
    }),
  );
}

/** One row with a character that PostgreSQL refuses must not hold up those beside it. */
function storableRow(row: NetworkRow): NetworkRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, storable(value)]));
}

/** Sends rows to the ledger consumer and answers the last one's id; a full queue is asked again a few times, then the error is the caller's. */
async function sendRows(
  env: WebhookEnv,
  deps: Deps,
  source: EventSource,
  rows: readonly NetworkRow[],
): Promise<bigint | null> {
  const ids = distinctIds(deps, rows.length);
  for (let at = 0; at < rows.length; at += MESSAGES_AT_ONCE) {
    const bodies = rows.slice(at, at + MESSAGES_AT_ONCE).map((row, index) => ({
      body: {
        kind: 'event',
        postback_id: String(ids[at + index]),
        source,
        raw: wordsOf(row),
      } satisfies PostbackMessage,
    }));
    for (let attempt = 0; ; attempt++) {
      try {
        await env.POSTBACKS.sendBatch(bodies);
        break;
      } catch (error) {
        const wait = QUEUE_BACKOFF_MS[attempt];
        if (wait === undefined) throw error;
        await (deps.sleep ?? pause)(wait);
      }
    }
  }
  return ids.at(-1) ?? null;
}

/** What a conversion is read from: kept before anything else that a row says, however many columns it has. */
const READ = [
  ...[
    '_id',
    'campaign_id',
    'status',
    'p1',
    'txn_id',
    'payout',
    'currency',
    'created',
    'sale_amount',
    'goal_id',
    'country',
  ],
  'publisher_id',
];

/** A row as it travels and is kept. */
function wordsOf(row: NetworkRow): Record<string, string> {
  const known = READ.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]] as const]));
  return keepAsEvidence([...known, ...Object.entries(row).filter(([name]) => !READ.includes(name))], []);
}

/** A thousand ids of one millisecond would meet now and then, and the second message of an id is taken for a copy of the first. */
function distinctIds(deps: Deps, count: number): bigint[] {
  const ids = new Set<bigint>();
  while (ids.size < count) ids.add(mintId(deps.clock, deps.random));
  return [...ids];
}

/** The day of a time in UTC, YYYY-MM-DD. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function timeOf(row: NetworkRow): number | null {
  const at = Date.parse(row.created ?? '');
  return Number.isNaN(at) || at < 0 || at > 253_402_300_799_000 ? null : at;
}

function offerOf(row: NetworkRow): number | null {
  const offer = /^[1-9]\d{0,9}$/.test(row.campaign_id ?? '') ? Number(row.campaign_id) : 0;
  return offer > 0 && offer <= 2_147_483_647 ? offer : null;
}

const SHOWN = ['status', 'payout', 'currency', 'txn_id', 'sale_amount', 'publisher_id', 'created'] as const;

function pick(row: NetworkRow): Record<string, string> {
  return Object.fromEntries(SHOWN.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]]])));
}
