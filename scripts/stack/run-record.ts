import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { StackFailure } from './failure.ts';
import type { DataPaths } from './paths.ts';
import { pidsWithEnvironment, signal, startOf, until } from './process-identity.ts';

/** Every child of a stack carries its DATA_DIR under this name: proof, after a SIGKILL, of whose child it was. */
export const MARKER = 'HISSABACK_STACK';

type Identity = { name: string; pid: number; start: string };
type Run = { supervisor: Identity; children: Identity[] };

const isAlive = (who: Identity) => startOf(who.pid) === who.start;

function identify(name: string, pid: number): Identity {
  return { name, pid, start: startOf(pid) ?? '' };
}

function readRun(file: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Ends what a killed run left behind. Each process is proven to be that run's before it gets a signal. */
async function sweep(paths: DataPaths, run: Run | undefined): Promise<number> {
  // Where there is no /proc only the recorded group leaders can be proven.
  const leaders = (run?.children ?? []).filter(isAlive).map(({ pid }) => pid);
  const left = () => [
    ...new Set([...pidsWithEnvironment(MARKER, paths.root), ...leaders.filter((pid) => startOf(pid))]),
  ];
  const found = left();
  for (const pid of found) signal(pid, 'SIGTERM');
  if (!(await until(() => left().length === 0, 3000))) {
    for (const pid of left()) signal(pid, 'SIGKILL');
    await until(() => left().length === 0, 2000);
  }
  return found.length;
}

/** This stack's claim on its DATA_DIR, and the list of the processes it started. */
export class RunRecord {
  readonly #paths: DataPaths;
  readonly #run: Run;
  /** How many processes of a killed run had to be ended. */
  readonly swept: number;

  private constructor(paths: DataPaths, run: Run, swept: number) {
    this.#paths = paths;
    this.#run = run;
    this.swept = swept;
  }

  /**
   * Claims the DATA_DIR: waits `patience` milliseconds for a stack that is stopping, cleans up after one that was killed
   * (its processes, its stack.json), and throws StackFailure if one goes on running.
   */
  static async claim(paths: DataPaths, waiting: (pid: number) => void, patience = 10_000): Promise<RunRecord> {
    mkdirSync(paths.root, { recursive: true });
    const mine = identify('stack', process.pid);
    const before = await RunRecord.#take(paths, mine, waiting, patience);
    const swept = await sweep(paths, before);
    rmSync(paths.stackFile, { force: true });
    const record = new RunRecord(paths, { supervisor: mine, children: [] }, swept);
    record.#write();
    return record;
  }

  /** Creates run.json, whose existence is the claim; answers the dead run found in its place, if any. */
  static async #take(
    paths: DataPaths,
    mine: Identity,
    waiting: (pid: number) => void,
    patience: number,
  ): Promise<Run | undefined> {
    let dead: Run | undefined;
    for (;;) {
      try {
        const file = openSync(paths.runFile, 'wx', 0o600);
        writeSync(file, JSON.stringify({ supervisor: mine, children: dead?.children ?? [] } satisfies Run));
        closeSync(file);
        return dead;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const other = readRun(paths.runFile);
      if (other && isAlive(other.supervisor)) {
        waiting(other.supervisor.pid);
        if (await until(() => !isAlive(other.supervisor), patience)) continue;
        throw new StackFailure(
          `A stack already runs on ${paths.root} (process ${other.supervisor.pid})`,
          'Use that one, stop it (Ctrl-C), or start a second: PORT=8900 DATA_DIR=.data-2 npm start',
        );
      }
      dead = other;
      rmSync(paths.runFile, { force: true });
    }
  }

  /** Notes a child, so that the next start can end it should this one be killed. */
  add(name: string, pid: number): void {
    this.#run.children.push(identify(name, pid));
    this.#write();
  }

  /** Gives the DATA_DIR free. */
  release(): void {
    rmSync(this.#paths.runFile, { force: true });
  }

  #write(): void {
    const draft = `${this.#paths.runFile}.new`;
    writeFileSync(draft, JSON.stringify(this.#run), { mode: 0o600 });
    renameSync(draft, this.#paths.runFile);
  }
}
