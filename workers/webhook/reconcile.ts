import type { Database } from '@hissaback/shared/db/types';
import { pullDailyCsv } from './daily-csv.ts';
import type { Deps } from './deps.ts';
import { poll } from './poll.ts';

/**
 * Reconciliation (architecture, flow 8): everything the network lists over the trailing window, and the daily files, enter the same path as
 * postbacks, so that what is missing here is credited and what was cancelled there is reversed. Rows that say nothing new are not sent again.
 */
export async function reconcile(db: Database, env: WebhookEnv, deps: Deps): Promise<Record<string, number>> {
  const polled = await poll(db, env, deps, 'fresh');
  return { ...polled, ...(await pullDailyCsv(db, env, deps)) };
}
