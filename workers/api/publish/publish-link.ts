import { keyOf, type LinkToPublish, toPublishedLink } from '@hissaback/shared/contracts/publish';
import { linksToPublish, markPublished } from '@hissaback/shared/db/queries/links';
import type { Database } from '@hissaback/shared/db/types';
import type { Log } from '@hissaback/shared/http/log';

export type Publisher = { db: Database; links: KVNamespace; log: Log };

/** What a copy's metadata says, so that the sweep compares a thousand copies by one listing. */
export type CopyMetadata = { v: number; id: string };

/** How often a link may change while it is being copied before it is left to the sweep. */
const ROUNDS = 4;

/** Writes the copy that `row` describes, or removes the copy of a row that describes none. */
export async function putCopy(links: KVNamespace, row: LinkToPublish): Promise<'put' | 'removed'> {
  const link = toPublishedLink(row);
  if (link === null) {
    await links.delete(keyOf(row));
    return 'removed';
  }
  const metadata: CopyMetadata = { v: link.v, id: link.id };
  await links.put(keyOf(row), JSON.stringify(link), { metadata });
  return 'put';
}

/**
 * Copies a link to KV and notes which version that was. The version is read again after each put: whoever put an older one last puts the newer one
 * after it, so that an older copy never stays for long (money rule 23). False if the link kept changing; the sweep goes on from there.
 */
export async function publishLink({ db, links }: Omit<Publisher, 'log'>, row: LinkToPublish): Promise<boolean> {
  let current = row;
  for (let round = 0; round < ROUNDS; round++) {
    await putCopy(links, current);
    const put = current;
    const [now] = await db.transaction(async (tx) => {
      await markPublished(tx, { links: [put] });
      return linksToPublish(tx, { link_ids: [put.link_id] });
    });
    if (now === undefined || now.version === put.version) return true;
    current = now;
  }
  return false;
}

/** As `publishLink`, for a caller whose change is committed already: a copy that fails is the sweep's, and no error of theirs. */
export async function tryPublish(publisher: Publisher, row: LinkToPublish | undefined): Promise<boolean> {
  if (row === undefined) return false;
  try {
    return await publishLink(publisher, row);
  } catch (error) {
    publisher.log.warn('link_not_published', { link_id: row.link_id, error });
    return false;
  }
}
