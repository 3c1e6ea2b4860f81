import { keyOf, type LinkToPublish } from '@hissaback/shared/contracts/publish';
import { linksBehind, linksToPublish, markPublished } from '@hissaback/shared/db/queries/links';
import type { Clock } from '@hissaback/shared/domain/chance';
import { type CopyMetadata, type Publisher, putCopy } from './publish-link.ts';

export type Sweeper = Publisher & { clock: Clock };

export type SweepCounts = {
  /** Copies written. */
  published: number;
  /** Copies taken away because nothing usable can be made of their link. */
  removed: number;
  /** Copies that KV refused; they stay behind. */
  failed: number;
  /** Copies compared with the database. */
  compared: number;
  /** 1 if there was more to do than time. */
  more: number;
};

const BATCH = 200;
/** A Worker keeps six connections open at most. */
const PUTS_AT_ONCE = 5;
const TIME_MS = 25_000;
/** What one listing of KV gives. */
const LIST_LIMIT = 1_000;
/** No link's key: hosts have no `~`. Says how far the comparison has come. */
const CURSOR_KEY = '~publish/cursor';

/** As `publishBehind`, then compares one page of KV with the database: an older copy that was put last is mended here (money rule 23). */
export async function sweep(sweeper: Sweeper): Promise<SweepCounts> {
  const counts = await publishBehind(sweeper);
  if (counts.more === 0) await compareCopies(sweeper, counts);
  return counts;
}

/** Copies to KV whatever is behind, for as long as a run may take. */
export async function publishBehind(sweeper: Sweeper): Promise<SweepCounts> {
  const counts: SweepCounts = { published: 0, removed: 0, failed: 0, compared: 0, more: 0 };
  const deadline = sweeper.clock.now() + TIME_MS;
  for (;;) {
    const rows = await sweeper.db.transaction((tx) => linksBehind(tx, { limit: BATCH }));
    if (rows.length === 0) return counts;
    const put = await publishAll(sweeper, rows, counts);
    // With nothing put the same rows would come again, and again.
    counts.more = put === 0 || sweeper.clock.now() > deadline ? 1 : 0;
    if (counts.more === 1) return counts;
  }
}

/** Puts and notes the rows' versions. A version that has grown meanwhile is behind, and comes with the next batch. */
async function publishAll(sweeper: Sweeper, rows: readonly LinkToPublish[], counts: SweepCounts): Promise<number> {
  const done: LinkToPublish[] = [];
  const waiting = [...rows];
  const worker = async (): Promise<void> => {
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      try {
        counts[(await putCopy(sweeper.links, row)) === 'put' ? 'published' : 'removed']++;
        done.push(row);
      } catch (error) {
        counts.failed++;
        sweeper.log.warn('link_not_published', { link_id: row.link_id, error });
      }
    }
  };
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, worker));
  if (done.length > 0) await sweeper.db.transaction((tx) => markPublished(tx, { links: done }));
  return done.length;
}

/** Copies whose version is not the database's, in the next page of KV's keys, are put again. */
async function compareCopies(sweeper: Sweeper, counts: SweepCounts): Promise<void> {
  const { links, db } = sweeper;
  const cursor = await links.get(CURSOR_KEY);
  const page = await links.list<CopyMetadata>({ limit: LIST_LIMIT, ...(cursor && { cursor }) });
  const copies = new Map<string, number>();
  for (const { metadata } of page.keys) if (metadata) copies.set(metadata.id, metadata.v);
  const rows = await db.transaction((tx) => linksToPublish(tx, { link_ids: [...copies.keys()] }));
  counts.compared = rows.length;
  const different = rows.filter((row) => copies.get(row.link_id) !== Number(row.version));
  await publishAll(sweeper, different, counts);
  await removeMoved(sweeper, rows, page.keys, counts);
  if (!page.list_complete) await links.put(CURSOR_KEY, page.cursor);
  else if (cursor !== null) await links.delete(CURSOR_KEY);
}

/** A link that has left its host (its domain was released) must not be followed there any more. */
async function removeMoved(
  { links }: Sweeper,
  rows: readonly LinkToPublish[],
  listed: readonly { name: string; metadata?: CopyMetadata }[],
  counts: SweepCounts,
): Promise<void> {
  const keys = new Map(rows.map((row) => [row.link_id, keyOf(row)]));
  for (const { name, metadata } of listed) {
    const key = metadata && keys.get(metadata.id);
    if (key === undefined || key === name) continue;
    await links.delete(name);
    counts.removed++;
  }
}
