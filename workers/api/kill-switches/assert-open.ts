import { isStopped } from '@hissaback/shared/db/queries/kill-switches';
import type { Tx } from '@hissaback/shared/db/types';
import { ProblemError } from '@hissaback/shared/http/problem';

/**
 * Asks in the transaction that would make them whether new links are stopped, for all or for the tenant.
 *
 * @throws ProblemError `unavailable` (503)
 */
export async function assertLinksOpen(tx: Tx, tenant_id: string): Promise<void> {
  if (await isStopped(tx, 'links', tenant_id)) {
    throw new ProblemError('unavailable', { detail: 'No new links are made at the moment.' });
  }
}
