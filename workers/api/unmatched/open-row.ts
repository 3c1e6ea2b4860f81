import { lockUnmatched, type UnmatchedView } from '@hissaback/shared/db/queries/unmatched';
import type { Tx } from '@hissaback/shared/db/types';
import { ProblemError } from '@hissaback/shared/http/problem';

/**
 * The open unmatched postback of a path, locked for whoever decides about it.
 *
 * @throws ProblemError `not_found` (404), `conflict` (409) if somebody has decided already
 */
export async function openRow(tx: Tx, id: string): Promise<UnmatchedView> {
  const isId = /^[1-9]\d{0,18}$/.test(id) && BigInt(id) < 2n ** 63n;
  const row = isId ? await lockUnmatched(tx, BigInt(id)) : null;
  if (row === null) throw new ProblemError('not_found', { detail: 'No such unmatched postback.' });
  if (row.status !== 'open') throw new ProblemError('conflict', { detail: `It is ${row.status} already.` });
  return row;
}
