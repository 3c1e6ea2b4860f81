import type pg from 'pg';

/** What the database does to a worker, once in its life. */
export type DatabaseFault = {
  /** Which of its statements is hit, counted from 1; `commit` is the first COMMIT from there on. */
  readonly at: number;
  readonly kind: 'lost' | 'lost_at_commit' | 'lost_before_commit' | '40001' | '40P01';
};

export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'died'; readonly at: string };

/**
 * One invocation of a worker, which may die between any two of its awaits: every effect it has on the world is a step before and a step
 * after. A dead worker does nothing any more: what it waits for never comes.
 */
export class Life {
  readonly name: string;
  readonly clients = new Set<pg.Client>();
  /** Closes the connections of a worker that died, as the runtime does. */
  onDeath: () => Promise<void> = async () => undefined;
  #steps = 0;
  #statements = 0;
  #dieAt: number | null;
  #fault: DatabaseFault | null;
  #diedAt: string | null = null;
  readonly #death: Promise<string>;
  #tellDeath: (at: string) => void = () => undefined;

  constructor(name: string, dieAt: number | null, fault: DatabaseFault | null) {
    this.name = name;
    this.#dieAt = dieAt;
    this.#fault = fault;
    this.#death = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
  }

  /** Lives until `work` ends or death comes. */
  async run<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    const ended = work().then(
      (value): Outcome<T> => ({ kind: 'done', value }),
      (error: unknown): Outcome<T> => ({ kind: 'failed', error }),
    );
    const outcome = await Promise.race([ended, this.#death.then((at): Outcome<T> => ({ kind: 'died', at }))]);
    // Nothing that it left behind may act later.
    this.#diedAt ??= 'its end';
    return outcome;
  }

  /** An effect on the world between two steps. */
  async effect<T>(label: string, act: () => T | Promise<T>): Promise<T> {
    await this.step(`before ${label}`);
    const result = await act();
    await this.step(`after ${label}`);
    return result;
  }

  async step(at: string): Promise<void> {
    if (this.#diedAt !== null) return never();
    this.#steps += 1;
    if (this.#steps !== this.#dieAt) return;
    this.#diedAt = at;
    await this.onDeath();
    this.#tellDeath(at);
    return never();
  }

  /** What the database does to this statement; each fault comes once. */
  faultOf(statement: 'begin' | 'commit' | 'rollback' | 'other'): DatabaseFault['kind'] | null {
    this.#statements += 1;
    const fault = this.#fault;
    if (fault === null || this.#statements < fault.at || statement === 'rollback') return null;
    if (fault.kind.endsWith('commit') && statement !== 'commit') return null;
    if (fault.kind.startsWith('40') && statement === 'begin') return null;
    this.#fault = null;
    return fault.kind;
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
