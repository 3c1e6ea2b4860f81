const KEPT = 400;
const LEVELS = ['log', 'info', 'warn', 'error'] as const;

/** What the workers write, kept instead of shown: the last lines of trouble belong to a failure's report. */
export class WorkerLog {
  readonly #lines: string[] = [];
  readonly #own = Object.fromEntries(LEVELS.map((level) => [level, console[level]]));

  constructor() {
    for (const level of LEVELS)
      console[level] = (line: unknown) => {
        this.#lines.push(String(line));
        if (this.#lines.length > KEPT) this.#lines.shift();
      };
  }

  /** The last warnings and errors, oldest first. */
  trouble(most: number): string[] {
    return this.#lines.filter((line) => /"level":"(warn|error)"/.test(line)).slice(-most);
  }

  restore(): void {
    Object.assign(console, this.#own);
  }
}
