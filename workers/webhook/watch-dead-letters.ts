import { countUnresolved } from '@hissaback/shared/db/queries/dead-letters';
import type { Database } from '@hissaback/shared/db/types';
import type { Deps } from './deps.ts';
import { callOperators, endCall } from './incident.ts';

/** Above this many unresolved dead letters operators are called (the spec's section 5). */
export const PAGE_ABOVE = 1_000;
/** At this many the queue counts as drained; between the two nothing happens, so that nobody is called twice for one flood. */
const DRAINED_AT = 100;
const INCIDENT = {
  name: 'dead-letters',
  summary: `More than ${PAGE_ABOVE} dead letters are unresolved: see docs/operations.md, then npm run dead-letters`,
  severity: 'critical',
} as const;

/** Calls the pager once when there are too many unresolved dead letters, and ends the call when they are drained (fault 45). */
export async function watchDeadLetters(db: Database, env: WebhookEnv, deps: Deps): Promise<void> {
  const unresolved = await db.transaction((tx) => countUnresolved(tx, PAGE_ABOVE + 1));
  if (unresolved > PAGE_ABOVE) await callOperators(db, env, deps, INCIDENT);
  else if (unresolved <= DRAINED_AT) await endCall(db, env, deps, INCIDENT.name);
}
