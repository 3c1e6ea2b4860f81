import { DurableObject } from 'cloudflare:workers';
import type { VelocityCalls } from '@hissaback/shared/contracts/durable-objects';
import { encodeBase64url } from '@hissaback/shared/domain/base64url';
import { systemClock } from '@hissaback/shared/domain/chance';
import {
  recentVelocity,
  recordVelocity,
  VELOCITY_WINDOW_MS,
  type VelocityEntry,
} from '@hissaback/shared/domain/velocity';

const ALIAS_BYTES = 16;

/** One shopper's (or anonymous visitor's) conversions of the last day. The counting is domain/velocity; this keeps its state. */
export class VelocityObject extends DurableObject implements VelocityCalls {
  /**
   * Counts a conversion once per alias and answers how many lie in the 24 hours that end with it (money rule 19).
   *
   * @param at the conversion's time, milliseconds since the Unix epoch
   */
  async record(alias: string, at: number): Promise<number> {
    const short = await shorten(alias);
    const before = this.#load();
    const { entries, count } = recordVelocity(before, short, at);
    if (entries !== before) {
      this.ctx.storage.kv.put('entries', entries);
      await this.ctx.storage.setAlarm(systemClock.now() + VELOCITY_WINDOW_MS);
    }
    return count;
  }

  override async alarm(): Promise<void> {
    const now = systemClock.now();
    const entries = recentVelocity(this.#load(), now);
    if (entries.length === 0) {
      await this.ctx.storage.deleteAll();
      return;
    }
    this.ctx.storage.kv.put('entries', entries);
    await this.ctx.storage.setAlarm(now + VELOCITY_WINDOW_MS);
  }

  #load(): readonly VelocityEntry[] {
    return this.ctx.storage.kv.get<readonly VelocityEntry[]>('entries') ?? [];
  }
}

/** Order ids are long and not ours to keep: 128 bits of a hash tell aliases apart. */
async function shorten(alias: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(alias));
  return encodeBase64url(new Uint8Array(digest, 0, ALIAS_BYTES));
}
