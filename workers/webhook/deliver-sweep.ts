import type { WebhookMessage } from '@hissaback/shared/contracts/webhooks';
import { claimDeliveries, forgetWebhooks } from '@hissaback/shared/db/queries/webhook-delivery';
import type { Database } from '@hissaback/shared/db/types';
import type { Deps } from './deps.ts';
import { resealSigningSecrets } from './reseal-secrets.ts';

/** What a queue takes at once. */
const BATCH = 100;
/** The most that one run sends; the next one goes on. */
const MOST_BATCHES = 50;
/** Longer than a batch of calls may take, in milliseconds. */
const LEASE_MS = 5 * 60_000;
/** How long events and their deliveries are kept, in milliseconds: 30 days. */
const KEPT_MS = 30 * 86_400_000;
const FORGOTTEN_AT_ONCE = 1_000;

/** Sends what is due to the queue `webhooks`, forgets what is old, and keeps signing secrets under the newest key. */
export async function sweepWebhooks(
  db: Database,
  env: WebhookEnv,
  deps: Deps,
): Promise<{ queued: number; forgotten: number; resealed: number }> {
  const queued = await queueDueWebhooks(db, env, deps, MOST_BATCHES);
  const forgotten = await db.transaction((tx) => {
    const now = deps.clock.now();
    return forgetWebhooks(tx, { now: new Date(now), before: new Date(now - KEPT_MS), limit: FORGOTTEN_AT_ONCE });
  });
  return { queued, forgotten, resealed: await resealSigningSecrets(db, env, deps) };
}

/** Sends what is due to the queue `webhooks`, at most so many batches of 100, and answers how many. What nobody takes waits for the next sweep. */
export async function queueDueWebhooks(
  db: Database,
  env: Pick<WebhookEnv, 'WEBHOOKS'>,
  deps: Pick<Deps, 'clock'>,
  mostBatches: number,
): Promise<number> {
  let queued = 0;
  for (let batch = 0; batch < mostBatches; batch++) {
    const messages = await db.transaction((tx) => {
      const now = deps.clock.now();
      return claimDeliveries(tx, { now: new Date(now), leasedUntil: new Date(now + LEASE_MS), limit: BATCH });
    });
    if (messages.length > 0) await env.WEBHOOKS.sendBatch(messages.map((body: WebhookMessage) => ({ body })));
    queued += messages.length;
    if (messages.length < BATCH) break;
  }
  return queued;
}
