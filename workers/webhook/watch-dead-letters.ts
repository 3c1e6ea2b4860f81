import { resolvePage, triggerPage } from '@hissaback/shared/clients/pager';
import { countUnresolved } from '@hissaback/shared/db/queries/dead-letters';
import { closeIncident, incidentPaged, isIncidentOpen, openIncident } from '@hissaback/shared/db/queries/incidents';
import type { Database } from '@hissaback/shared/db/types';
import type { Deps } from './deps.ts';
import { PAGER_SOURCE, pagerOf } from './pager.ts';

/** Above this many unresolved dead letters operators are called (the spec's section 5). */
export const PAGE_ABOVE = 1_000;
/** At this many the queue counts as drained; between the two nothing happens, so that nobody is called twice for one flood. */
const DRAINED_AT = 100;
const INCIDENT = 'dead-letters';

/** Calls the pager once when there are too many unresolved dead letters, and ends the call when they are drained (fault 45). */
export async function watchDeadLetters(db: Database, env: WebhookEnv, deps: Deps): Promise<void> {
  const now = deps.clock.now();
  const seen = await db.transaction(async (tx) => ({
    unresolved: await countUnresolved(tx, PAGE_ABOVE + 1),
    isOpen: await isIncidentOpen(tx, INCIDENT),
  }));
  const pager = pagerOf(env, deps);
  if (seen.unresolved > PAGE_ABOVE && !seen.isOpen) {
    if (!(await db.transaction((tx) => openIncident(tx, INCIDENT, now)))) return;
    const isPaged = await triggerPage(pager, {
      dedupKey: INCIDENT,
      summary: `More than ${PAGE_ABOVE} dead letters are unresolved: see docs/operations.md, then npm run dead-letters`,
      severity: 'critical',
      source: PAGER_SOURCE,
    });
    if (isPaged) await db.transaction((tx) => incidentPaged(tx, INCIDENT, now));
  } else if (seen.unresolved <= DRAINED_AT && seen.isOpen && (await resolvePage(pager, INCIDENT)))
    await db.transaction((tx) => closeIncident(tx, INCIDENT));
}
