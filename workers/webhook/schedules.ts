import type { RunReport } from '@hissaback/shared/contracts/schedules';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { recordRun } from '@hissaback/shared/db/queries/schedules';
import type { Database } from '@hissaback/shared/db/types';
import { sweepWebhooks } from './deliver-sweep.ts';
import type { Deps } from './deps.ts';
import { expireUnclaimed } from './expire-unclaimed.ts';
import { resendInbox } from './inbox.ts';
import { syncOffers } from './offer-sync.ts';
import { reconcile } from './reconcile.ts';
import { rematch } from './rematch.ts';
import { tidy } from './tidy.ts';

type Run = (db: Database, env: WebhookEnv, deps: Deps) => Promise<Record<string, number>>;

const RUNS: Readonly<Record<string, Run>> = {
  'offer-sync': syncOffers,
  reconcile,
  rematch,
  inbox: resendInbox,
  'expire-unclaimed': expireUnclaimed,
  tidy,
  webhooks: sweepWebhooks,
};

/** Runs one of this worker's schedules by name and reports; a failure is the report's, never thrown. */
export async function runSchedule(name: string, env: WebhookEnv, deps: Deps): Promise<RunReport> {
  const run = Object.hasOwn(RUNS, name) ? RUNS[name] : undefined;
  if (run === undefined) return { schedule: name, ok: false, counts: {}, error: 'no such schedule' };
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  // Its own connection: a run may be in a transaction of the first one when it fails.
  const trace = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    return await recordRun(trace, name, deps.clock, () => run(db, env, deps));
  } finally {
    await Promise.all([db.end(), trace.end()]);
  }
}
