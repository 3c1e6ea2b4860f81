import { DurableObject } from 'cloudflare:workers';
import type { LimitAnswer, LimitCalls } from '@hissaback/shared/contracts/durable-objects';
import { systemClock } from '@hissaback/shared/domain/chance';
import { type LimitRule, type LimitState, limitForgottenAt, takeLimit } from '@hissaback/shared/domain/limit';

type Stored = { windowMs: number; state: LimitState };

/** One exact limit, addressed by its name and what it counts by. The counting is domain/limit; this keeps its state. */
export class LimitObject extends DurableObject implements LimitCalls {
  /** Counts a request at `now` (milliseconds since the Unix epoch) if the rule has room for it. */
  async take(rule: LimitRule, now: number): Promise<LimitAnswer> {
    const stored = this.ctx.storage.kv.get<Stored>('limit');
    // Another window counts in other slices: a changed setting begins anew.
    const before = stored?.windowMs === rule.windowMs ? stored.state : [];
    const { state, allowed, remaining, resetMs } = takeLimit(before, rule, now);
    if (allowed) {
      this.ctx.storage.kv.put<Stored>('limit', { windowMs: rule.windowMs, state });
      await this.ctx.storage.setAlarm(limitForgottenAt(state, rule));
    }
    return { allowed, remaining, resetMs };
  }

  override async alarm(): Promise<void> {
    const stored = this.ctx.storage.kv.get<Stored>('limit');
    const forgottenAt =
      stored === undefined ? 0 : limitForgottenAt(stored.state, { limit: 0, windowMs: stored.windowMs });
    if (forgottenAt <= systemClock.now()) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(forgottenAt);
  }
}
