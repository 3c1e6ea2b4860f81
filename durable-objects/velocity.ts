import { DurableObject } from 'cloudflare:workers';
import type { VelocityCalls, VelocityEvent } from '@hissaback/shared/contracts/durable-objects';
import { encodeBase64url } from '@hissaback/shared/domain/base64url';
import { systemClock } from '@hissaback/shared/domain/chance';
import {
  recentVelocity,
  recordVelocity,
  VELOCITY_WINDOW_MS,
  type VelocityEntry,
} from '@hissaback/shared/domain/velocity';

const ALIAS_BYTES = 16;

const PREFIX = 'shopper:';

/**
 * Conversions of the last day, by shopper or anonymous visitor. An object holds the shoppers of one shard, each of whom is always the same object's: so
 * each count is exact, and a batch of the consumer asks a few objects instead of one for every sale. The counting is domain/velocity; this keeps its state.
 */
export class VelocityObject extends DurableObject implements VelocityCalls {
  /**
   * Counts each conversion once per shopper and alias, in the order given, and answers how many lie in the 24 hours that end with it (money rule 19).
   */
  async record(events: readonly VelocityEvent[]): Promise<number[]> {
    const aliases = await Promise.all(events.map(({ alias }) => shorten(alias)));
    const { kv } = this.ctx.storage;
    const counts = events.map(({ shopper, at }, index) => {
      const key = PREFIX + shopper;
      const before = kv.get<readonly VelocityEntry[]>(key) ?? [];
      const { entries, count } = recordVelocity(before, aliases[index] ?? '', at);
      if (entries !== before) kv.put(key, entries);
      return count;
    });
    // One that is set stays: a busy shard must come to forget all the same.
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(systemClock.now() + VELOCITY_WINDOW_MS);
    return counts;
  }

  override async alarm(): Promise<void> {
    const now = systemClock.now();
    const { kv } = this.ctx.storage;
    let isEmpty = true;
    for (const [key, before] of kv.list<readonly VelocityEntry[]>({ prefix: PREFIX })) {
      const entries = recentVelocity(before, now);
      if (entries.length === 0) kv.delete(key);
      else if (entries.length < before.length) kv.put(key, entries);
      isEmpty &&= entries.length === 0;
    }
    if (isEmpty) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(now + VELOCITY_WINDOW_MS);
  }
}

/** Order ids are long and not ours to keep: 128 bits of a hash tell aliases apart. */
async function shorten(alias: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(alias));
  return encodeBase64url(new Uint8Array(digest, 0, ALIAS_BYTES));
}
