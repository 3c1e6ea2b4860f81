import { z } from 'zod';
import { FaultQueue, faultRoutes, faultTiming } from '../kit/faults.ts';
import {
  type Answer,
  type Call,
  json,
  type ListenOptions,
  parseJson,
  type Routes,
  type Running,
  serve,
} from '../kit/http.ts';
import { type Clock, type Random, randomHex, sleep, systemClock, systemRandom } from '../kit/time.ts';
import { type Accepted, EventBook, readEvent } from './events.ts';

export type PagerOptions = ListenOptions & {
  /** Directory of pager-events.jsonl. */
  dir: string;
  /** The only routing key accepted; without it every well-formed one is. */
  routingKey?: string | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
};

const pagerFault = z.strictObject({
  ...faultTiming,
  kind: z.enum(['throttle', 'http-500', 'delay', 'drop-after', 'drop-before']),
});
type PagerFault = z.output<typeof pagerFault>;

const MAX_EVENT_BYTES = 512 * 1024;

/** Starts a stand-in for the pager (Events API v2). */
export async function startPager(options: PagerOptions): Promise<Running> {
  const pager = new Pager(options);
  const running = await serve('pager', pager.routes(), options);
  return {
    ...running,
    close: async () => {
      await running.close();
      pager.close();
    },
  };
}

class Pager {
  readonly #routingKey: string | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #book: EventBook;
  readonly #faults = new FaultQueue<PagerFault>();

  constructor(options: PagerOptions) {
    this.#routingKey = options.routingKey;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#book = new EventBook(options.dir);
  }

  close(): void {
    this.#book.close();
  }

  routes(): Routes {
    return {
      'POST /v2/enqueue': (call) => this.#enqueue(call),
      'GET /__control/events': () => json(200, { events: this.#book.events() }),
      'GET /__control/incidents': () => json(200, { incidents: this.#book.incidents() }),
      ...faultRoutes(this.#faults, pagerFault),
      'POST /__control/reset': () => {
        this.#faults.clear();
        this.#book.clear();
        return json(200, { reset: true });
      },
    };
  }

  async #enqueue({ body, signal }: Call): Promise<Answer> {
    if (body.length > MAX_EVENT_BYTES) return refusal(413, 'Event is too large', []);
    const fault = this.#faults.take(() => true);
    if (fault?.kind === 'throttle') {
      const message = 'Requests for this service are arriving too quickly. Please retry later.';
      return json(429, { status: 'throttle exceeded', message });
    }
    if (fault?.kind === 'http-500') return json(500, { message: 'Internal Server Error' });
    if (fault?.kind === 'drop-before') return 'drop';
    const event = readEvent(parseJson(body), this.#routingKey);
    const answer = Array.isArray(event) ? refusal(400, 'Event object is invalid', event) : this.#take(event);
    await sleep(fault?.ms ?? 0, signal);
    return fault?.kind === 'drop-after' ? 'drop' : answer;
  }

  #take(event: Accepted): Answer {
    const dedup_key = event.dedup_key ?? randomHex(this.#random, 16);
    this.#book.add({ ...event, dedup_key, at: new Date(this.#clock.now()).toISOString() });
    return json(202, { status: 'success', message: 'Event processed', dedup_key });
  }
}

function refusal(status: number, message: string, errors: string[]): Answer {
  return json(status, { status: 'invalid event', message, errors });
}
