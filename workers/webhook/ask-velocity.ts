import type { VelocityCalls } from '@hissaback/shared/contracts/durable-objects';
import { occurredAt } from '@hissaback/shared/domain/intake';
import type { Taken } from './intake-batch.ts';

/** In production an object answers within some ten milliseconds; a postback is to be in the books within seconds. */
const PATIENCE_MS = 500;

/**
 * Asks each visitor's velocity object before the transaction begins (money rule 19), once per alias of a sale. The answer is written down with the
 * decision; the recount in SQL, under the shopper's lock, decides. So no answer in time is no answer and holds nothing up.
 * @returns conversions of the last 24 hours, by postback
 */
export async function askVelocity(events: readonly Taken[], env: WebhookEnv): Promise<Map<bigint, number>> {
  const asked = new Map<bigint, number>();
  const asking = events.map(async (event) => {
    const visitor = event.click?.kind === 'reference' ? event.click.visitorId : null;
    if (visitor === null || event.click === null) return;
    const { report } = event;
    const object = env.VELOCITY.get(env.VELOCITY.idFromName(visitor)) as unknown as VelocityCalls;
    const alias = `${event.click.clickId}:${report.offerId}:${report.goalId ?? ''}:${report.txnId ?? ''}`;
    asked.set(event.postbackId, await object.record(alias, occurredAt(event)));
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([Promise.allSettled(asking), patience]);
  clearTimeout(timer);
  return asked;
}
