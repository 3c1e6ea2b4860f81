import { resolvePage, triggerPage } from '@hissaback/shared/clients/pager';
import { closeIncident, incidentPaged, isIncidentOpen, openIncident } from '@hissaback/shared/db/queries/incidents';
import type { Database } from '@hissaback/shared/db/types';
import type { Deps } from './deps.ts';
import { PAGER_SOURCE, pagerOf } from './pager.ts';

export type Incident = { readonly name: string; readonly summary: string; readonly severity: 'critical' | 'error' };

/** Calls the pager about an incident once, however many notice it; should the pager be down, whoever notices it a minute later calls again. */
export async function callOperators(db: Database, env: WebhookEnv, deps: Deps, incident: Incident): Promise<void> {
  const { name, summary, severity } = incident;
  const now = deps.clock.now();
  const isMine = await db.transaction(
    async (tx) => !(await isIncidentOpen(tx, name)) && (await openIncident(tx, name, now)),
  );
  if (!isMine) return;
  const isPaged = await triggerPage(pagerOf(env, deps), { dedupKey: name, summary, severity, source: PAGER_SOURCE });
  if (isPaged) await db.transaction((tx) => incidentPaged(tx, name, now));
}

/** Ends the call about an incident that is over, if there was one. */
export async function endCall(db: Database, env: WebhookEnv, deps: Deps, name: string): Promise<void> {
  const isOpen = await db.transaction((tx) => isIncidentOpen(tx, name));
  if (isOpen && (await resolvePage(pagerOf(env, deps), name))) await db.transaction((tx) => closeIncident(tx, name));
}
