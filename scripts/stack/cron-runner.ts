import { createWriteStream } from 'node:fs';
import { SCHEDULES, type Schedule } from '@hissaback/shared/contracts/schedules';
import { freshLog } from './child.ts';
import { fallsOn } from './cron-expression.ts';

const MINUTE = 60_000;

/** Fires one schedule and resolves when its run has ended; what it answers goes to the log. */
export type Fire = (name: string, signal: AbortSignal) => Promise<unknown>;

/** Remembers which runs are under way, so that a schedule is never fired into its own run. */
export class Crons {
  readonly #running = new Set<string>();
  readonly #fire: Fire;
  readonly #log: (entry: Record<string, unknown>) => void;
  readonly #schedules: readonly Schedule[];
  readonly #abort = new AbortController();

  constructor(fire: Fire, log: (entry: Record<string, unknown>) => void, schedules: readonly Schedule[] = SCHEDULES) {
    this.#fire = fire;
    this.#log = log;
    this.#schedules = schedules;
  }

  /** Fires every schedule due in the minute of `at` (milliseconds since the epoch); resolves when their runs have ended. */
  async tick(at: number): Promise<void> {
    const due = this.#schedules.filter(({ cron, name }) => fallsOn(cron, at) && !this.#running.has(name));
    await Promise.all(due.map(({ name }) => this.#run(name, at)));
  }

  /** Lets go of the runs under way; nothing is fired any more. */
  stop(): void {
    this.#abort.abort();
  }

  async #run(name: string, at: number): Promise<void> {
    if (this.#abort.signal.aborted) return;
    this.#running.add(name);
    const minute = new Date(at).toISOString();
    try {
      this.#log({ minute, schedule: name, answer: await this.#fire(name, this.#abort.signal) });
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#log({ minute, schedule: name, error: String(error) });
    } finally {
      this.#running.delete(name);
    }
  }
}

/** Fires the platform's schedules at every full minute, as Cron Triggers do in production; answers how to stop. */
export function fireCrons(urls: Record<string, string>, logFile: string): () => void {
  const log = createWriteStream(freshLog(logFile), { mode: 0o600 });
  const fire: Fire = async (name, signal) => {
    const response = await fetch(urls[name] ?? '', { method: 'POST', signal });
    return response.json();
  };
  const crons = new Crons(fire, (entry) => log.write(`${JSON.stringify(entry)}\n`));
  let timer: NodeJS.Timeout;
  const wait = () => {
    timer = setTimeout(
      () => {
        void crons.tick(Date.now());
        wait();
      },
      // A little past the minute: a timer that fires early would meet the minute before once more.
      MINUTE - (Date.now() % MINUTE) + 20,
    );
  };
  wait();
  return () => {
    clearTimeout(timer);
    crons.stop();
    log.end();
  };
}
