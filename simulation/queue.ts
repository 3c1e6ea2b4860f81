import type { Dice } from './dice.ts';

const MOST_RETRIES = 100;

type Waiting = { readonly id: string; readonly body: unknown; attempts: number; dueAt: number };
/** What a consumer was told of one delivery; the first word on a message wins. */
type Verdict = { kind: 'ack' } | { kind: 'retry'; delaySeconds: number };

/** One delivery of a batch, as a consumer sees it, and what became of it. */
export type Delivery = {
  readonly batch: MessageBatch;
  /** Takes the consumer's verdicts after it ended; a worker that died was heard up to its death, or not at all. */
  settle(end: 'done' | 'failed' | 'died'): void;
};

/**
 * A queue that delivers at least once, in any order, with batches of any size: acknowledged messages may come again, deliveries of a dead
 * consumer always do. After its last retry a message moves to the dead-letter queue, if there is one.
 */
export class AtLeastOnceQueue {
  readonly name: string;
  readonly deadLetters: AtLeastOnceQueue | null;
  /** How many messages were sent and acknowledged, dead letters included. */
  readonly counts = { sent: 0, acknowledged: 0, buried: 0 };
  /** Acknowledged messages do not come again while this is set. */
  isQuiet = false;
  readonly #dice: Dice;
  readonly #now: () => number;
  #waiting: Waiting[] = [];

  constructor(name: string, dice: Dice, now: () => number, deadLetters: AtLeastOnceQueue | null = null) {
    this.name = name;
    this.#dice = dice;
    this.#now = now;
    this.deadLetters = deadLetters;
  }

  /** Stores a message; `delayMs` from now. */
  put(body: unknown, delayMs = 0): void {
    this.counts.sent += 1;
    const copy: unknown = JSON.parse(JSON.stringify(body));
    this.#waiting.push({
      id: `${this.name}-${this.counts.sent}`,
      body: copy,
      attempts: 0,
      dueAt: this.#now() + delayMs,
    });
  }

  /** What is still undelivered or unacknowledged. */
  get bodies(): unknown[] {
    return this.#waiting.map(({ body }) => body);
  }

  /** Forgets everything, as a queue in the memory of a runtime that died. */
  loseAll(): void {
    this.#waiting = [];
  }

  /** When the next message may be delivered; null if there is none. */
  get nextDueAt(): number | null {
    return this.#waiting.reduce<number | null>((first, { dueAt }) => Math.min(first ?? dueAt, dueAt), null);
  }

  /** The next delivery of what is due, at most `limit` messages in any order; null if nothing is. */
  deliver(limit: number): Delivery | null {
    const due = this.#waiting.filter(({ dueAt }) => dueAt <= this.#now());
    if (due.length === 0) return null;
    const chosen = this.#dice.shuffled(due).slice(0, limit);
    const verdicts = new Map<Waiting, Verdict>();
    const say = (message: Waiting, verdict: Verdict): void => {
      if (!verdicts.has(message)) verdicts.set(message, verdict);
    };
    for (const message of chosen) message.attempts += 1;
    const messages = chosen.map((message) => ({
      id: message.id,
      timestamp: new Date(this.#now()),
      body: message.body,
      attempts: message.attempts,
      ack: () => say(message, { kind: 'ack' }),
      retry: (options?: { delaySeconds?: number }) =>
        say(message, { kind: 'retry', delaySeconds: options?.delaySeconds ?? 0 }),
    }));
    const batch = {
      queue: this.name,
      messages,
      ackAll: () => {
        for (const message of chosen) say(message, { kind: 'ack' });
      },
      retryAll: () => {
        for (const message of chosen) say(message, { kind: 'retry', delaySeconds: 0 });
      },
    } as unknown as MessageBatch;
    return { batch, settle: (end) => this.#settle(chosen, verdicts, end) };
  }

  #settle(chosen: readonly Waiting[], verdicts: ReadonlyMap<Waiting, Verdict>, end: 'done' | 'failed' | 'died'): void {
    const isHeard = end !== 'died' || this.#dice.chance(0.5);
    for (const message of chosen) {
      const unsaid: Verdict = end === 'done' ? { kind: 'ack' } : { kind: 'retry', delaySeconds: 0 };
      const verdict = (isHeard ? verdicts.get(message) : undefined) ?? unsaid;
      if (verdict.kind === 'ack') this.#acknowledge(message);
      else if (message.attempts > MOST_RETRIES && this.deadLetters !== null) {
        this.#remove(message);
        this.counts.buried += 1;
        this.deadLetters.put(message.body);
      } else message.dueAt = this.#now() + verdict.delaySeconds * 1_000;
    }
  }

  #acknowledge(message: Waiting): void {
    // An acknowledged message that is delivered once more all the same: at least once is all that is promised.
    if (!this.isQuiet && this.#dice.chance(0.02)) {
      message.dueAt = this.#now() + this.#dice.between(0, 6 * 3_600_000);
      return;
    }
    this.#remove(message);
    this.counts.acknowledged += 1;
  }

  #remove(message: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== message);
  }
}
