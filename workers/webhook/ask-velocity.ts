import type { VelocityCalls, VelocityEvent } from '@hissaback/shared/contracts/durable-objects';
import { occurredAt } from '@hissaback/shared/domain/intake';
import type { Taken } from './intake-batch.ts';

/** In production an object answers within some ten milliseconds; a postback is to be in the books within seconds. */
const PATIENCE_MS = 500;

/**
 * Asks the velocity objects of a batch's visitors before the transaction begins (money rule 19), one call for each shard of them. The answer is written down with the
 * decision; the recount in SQL, under the shopper's lock, decides. So no answer in time is no answer and holds nothing up.
 * @returns conversions of the last 24 hours, by postback
 */
export async function askVelocity(events: readonly Taken[], env: WebhookEnv): Promise<Map<bigint, number>> {
  const asked = new Map<bigint, number>();
  const shards = new Map<string, { ids: bigint[]; events: VelocityEvent[] }>();
  for (const event of events) {
    const shopper = event.click?.kind === 'reference' ? event.click.visitorId : null;
    if (shopper === null || event.click === null) continue;
    const { report } = event;
    const alias = `${event.click.clickId}:${report.offerId}:${report.goalId ?? ''}:${report.txnId ?? ''}`;
    const shard = shardOf(shopper);
    const group = shards.get(shard) ?? { ids: [], events: [] };
    shards.set(shard, group);
    group.ids.push(event.postbackId);
    group.events.push({ shopper, alias, at: occurredAt(event) });
  }
  const asking = [...shards].map(async ([shard, group]) => {
    const object = env.VELOCITY.get(env.VELOCITY.idFromName(shard)) as unknown as VelocityCalls;
    const counts = await object.record(group.events);
    for (const [index, id] of group.ids.entries()) asked.set(id, counts[index] ?? 0);
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([Promise.allSettled(asking), patience]);
  clearTimeout(timer);
  return asked;
}

/** Sixteen of them: a visitor's id is random, so its first digit spreads them evenly, and always names the same one. */
function shardOf(visitorId: string): string {
  return `shoppers:${visitorId.slice(0, 1)}`;
}
