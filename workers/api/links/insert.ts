import { insertLink, type LinkRow } from '@hissaback/shared/db/queries/links';
import type { Tx } from '@hissaback/shared/db/types';
import type { Random } from '@hissaback/shared/domain/chance';
import { mintSlug } from '@hissaback/shared/domain/slug';
import { ProblemError } from '@hissaback/shared/http/problem';

/** Two random slugs meet once in a million million; five in a row mean that something else is wrong. */
const DRAWS = 5;

/**
 * Inserts a link under the slug that was asked for, or under a random one, drawn again while it is taken. The unique key decides, so that no two
 * requests ever get the same.
 *
 * @throws ProblemError `conflict` (409) if the slug asked for is taken
 */
export async function insertWithSlug(
  tx: Tx,
  link: Omit<Parameters<typeof insertLink>[1], 'slug'> & { slug?: string | undefined },
  random: Random,
): Promise<LinkRow> {
  if (link.slug !== undefined) {
    const row = await insertLink(tx, { ...link, slug: link.slug });
    if (row === null) throw new ProblemError('conflict', { detail: 'This slug is taken.' });
    return row;
  }
  for (let draw = 0; draw < DRAWS; draw++) {
    const row = await insertLink(tx, { ...link, slug: mintSlug(random) });
    if (row !== null) return row;
  }
  throw new Error(`${DRAWS} random slugs in a row were taken`);
}
