import type { ClickMessage } from '@hissaback/shared/contracts/click-message';
import type { Clock } from '@hissaback/shared/domain/chance';
import { wait, withDeadline } from './deadline.ts';
import { logError } from './log.ts';

/** What a queue takes in one batch. */
const MAX_BATCH = 100;
const WINDOW_MS = 50;
const OWNER_LOST_MS = 1_000;
const SEND_DEADLINE_MS = 5_000;
const RETRY_DELAYS_MS = [100, 500, 2_000];

/**
 * Collects the clicks of concurrent requests into one `sendBatch`. The first request's `waitUntil` owns the flush 50 ms later; the request
 * that fills a batch sends it by itself, so the buffer never holds more than one batch. A lost click costs a count, never a conversion: the
 * click reference says everything.
 */
export class ClickBuffer {
  readonly #clock: Clock;
  #waiting: ClickMessage[] = [];
  #ownedUntil = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a click; `queue` and `context` are those of the request that brings it. */
  add(click: ClickMessage, queue: Queue, context: { waitUntil(work: Promise<unknown>): void }): void {
    this.#waiting.push(click);
    if (this.#waiting.length >= MAX_BATCH) {
      context.waitUntil(send(this.#take(), queue));
      return;
    }
    // An owner that has not flushed within a second died with its request: the next one takes over.
    const now = this.#clock.now();
    if (now < this.#ownedUntil) return;
    this.#ownedUntil = now + OWNER_LOST_MS;
    context.waitUntil(this.#flush(queue));
  }

  async #flush(queue: Queue): Promise<void> {
    await wait(WINDOW_MS);
    this.#ownedUntil = 0;
    await send(this.#take(), queue);
  }

  #take(): ClickMessage[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }
}

async function send(clicks: readonly ClickMessage[], queue: Queue): Promise<void> {
  if (clicks.length === 0) return;
  const batch = clicks.map((body) => ({ body }));
  for (let attempt = 0; ; attempt++) {
    try {
      await withDeadline(queue.sendBatch(batch), SEND_DEADLINE_MS);
      return;
    } catch (error) {
      const delay = RETRY_DELAYS_MS[attempt];
      if (delay === undefined) {
        logError('clicks_lost', { count: clicks.length, message: error instanceof Error ? error.message : 'unknown' });
        return;
      }
      await wait(delay);
    }
  }
}
