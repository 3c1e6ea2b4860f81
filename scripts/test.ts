// npm test [-- step ... [file or name of a test]]: every check and test of the platform. The last line has the counts.
import { availableParallelism } from 'node:os';
import type { RunningChild } from './testing/child-process.ts';
import { checkOutcome, countsOf, isGreen, type Outcome, sumOf } from './testing/outcome.ts';
import { openRunEnvironment } from './testing/run-environment.ts';
import { runStep, type StepResult } from './testing/run-step.ts';
import { type Selection, select } from './testing/selection.ts';
import { type SharedPostgres, startSharedPostgres } from './testing/shared-postgres.ts';
import { checkoutFiles, findSteps, type Step } from './testing/steps.ts';

const HEARTBEAT_MS = 15_000;
const LANES = Math.min(4, Math.max(2, availableParallelism()));

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const say = (text: string): void => console.log(`${seconds(0).padStart(8)}  ${text}`);

/** One run: what it started, what it found, and how to end it early. */
class TestRun {
  readonly #selection: Selection;
  readonly #place = openRunEnvironment();
  readonly #running = new Map<string, { since: number; child?: RunningChild }>();
  readonly #results: StepResult[] = [];
  #postgres: Promise<SharedPostgres> | undefined;
  #interrupted = false;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /** Runs the steps in lanes, the ones that want the machine for themselves at the end. Answers what they found. */
  async run(steps: readonly Step[]): Promise<Outcome> {
    const heartbeat = setInterval(() => this.#tellWhatRuns(), HEARTBEAT_MS);
    try {
      if (steps.some((step) => step.kind === 'vitest' && step.needsPostgres)) {
        this.#postgres = startSharedPostgres(this.#place.env);
        this.#postgres.catch(() => undefined); // whoever needs it is told
      }
      const isAlone = (step: Step) => step.kind === 'vitest' && step.alone;
      const queue = steps.filter((step) => !isAlone(step));
      const lane = async () => {
        for (let step = queue.shift(); step; step = queue.shift()) await this.#runOne(step);
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      await this.#stopPostgres();
      for (const step of steps.filter(isAlone)) await this.#runOne(step);
      return sumOf(this.#results.map(({ outcome }) => outcome));
    } finally {
      clearInterval(heartbeat);
      await this.#clearUp();
    }
  }

  /** Ends what runs; nothing new is begun. */
  async interrupt(): Promise<void> {
    if (this.#interrupted) return;
    this.#interrupted = true;
    console.log('\nInterrupted: ending what runs ...');
    await Promise.all([...this.#running.values()].map(({ child }) => child?.stop()));
  }

  /** Test files that ran, from the checkout's top. */
  filesRun(): Set<string> {
    return new Set(this.#results.flatMap(({ files }) => files));
  }

  /** Tests that passed or failed; checks are none. */
  testsRun(): number {
    const ran = this.#results.filter(({ files }) => files.length > 0);
    return ran.reduce((sum, { outcome }) => sum + outcome.passed + outcome.failures.length, 0);
  }

  async #runOne(step: Step): Promise<void> {
    if (this.#interrupted) return;
    const running: { since: number; child?: RunningChild } = { since: performance.now() };
    this.#running.set(step.name, running);
    const result = await this.#resultOf(step, (child) => {
      running.child = child;
      if (this.#interrupted) void child.stop();
    });
    this.#running.delete(step.name);
    this.#results.push(result);
    const mark = isGreen(result.outcome) ? 'ok  ' : 'FAIL';
    const counts = step.kind === 'check' ? '' : `: ${countsOf(result.outcome)}`;
    say(`${mark} ${step.name}${counts} (${seconds(running.since)})`);
  }

  async #resultOf(step: Step, started: (child: RunningChild) => void): Promise<StepResult> {
    const { env, folder } = this.#place;
    const { filter } = this.#selection;
    if (step.kind !== 'vitest' || !step.needsPostgres || this.#postgres === undefined)
      return runStep(step, { env, folder, filter, started });
    try {
      const { server } = await this.#postgres;
      return await runStep(step, { env: { ...env, TEST_SERVER: JSON.stringify(server) }, folder, filter, started });
    } catch (error) {
      return { outcome: checkOutcome(step.name, error instanceof Error ? error.message : String(error)), files: [] };
    }
  }

  async #stopPostgres(): Promise<void> {
    const postgres = await this.#postgres?.catch(() => undefined);
    this.#postgres = undefined;
    await postgres?.stop();
  }

  async #clearUp(): Promise<void> {
    await this.#stopPostgres();
    // What was told to end needs a moment for it: the stack of the e2e suite stops in order.
    await this.#place.clear(this.#interrupted ? 15_000 : 3000);
  }

  #tellWhatRuns(): void {
    const running = [...this.#running].map(([name, { since, child }]) => {
      const files = child?.output().match(/^ [✓❯].*\.test\.ts/gm)?.length ?? 0;
      return `${name} for ${seconds(since)}${files > 0 ? `, ${files} files done` : ''}`;
    });
    if (running.length > 0) say(`...  ${running.join('; ')}`);
  }
}

/** A test file that no project includes would never run, and nobody would know. */
function everyFileRan(files: readonly string[], ran: ReadonlySet<string>): Outcome {
  const missed = files.filter((file) => !ran.has(file));
  const message = missed.length === 0 ? null : `no vitest.config.ts includes ${missed.join(', ')}`;
  return checkOutcome('every test file runs', message, 'npm test');
}

function tellFailures({ failures, skipped }: Outcome): void {
  for (const { name, message, rerun } of failures)
    console.log(`\nFAILED ${name}\n${message.replaceAll(/^/gm, '    ')}\n    again: ${rerun}`);
  for (const name of skipped) console.log(`\nSKIPPED ${name}`);
}

async function main(): Promise<number> {
  const steps = findSteps();
  const names = steps.map(({ name }) => name);
  const args = process.argv.slice(2);
  const selection = select(names, args);
  const files = checkoutFiles('**/*.test.{ts,tsx}');
  const run = new TestRun(selection);
  let signalled = false;
  const interrupt = () => {
    signalled = true;
    void run.interrupt();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  process.on('disconnect', interrupt);

  const found = await run.run(steps.filter(({ name }) => selection.steps.includes(name)));
  const isWhole = args.length === 0 && !signalled;
  const extra = signalled ? [checkOutcome('the whole run', 'it was interrupted', 'npm test')] : [];
  const { filter } = selection;
  const isVain = filter !== undefined && run.testsRun() === 0;
  const nothing = isVain ? [checkOutcome(`tests of "${filter}"`, 'there are none in these steps', 'npm test')] : [];
  const outcome = sumOf([found, ...nothing, ...(isWhole ? [everyFileRan(files, run.filesRun())] : []), ...extra]);
  tellFailures(outcome);
  console.log(`\n${countsOf(outcome)}`);
  return isGreen(outcome) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
}
// Nothing runs any more that could be interrupted: the last line stays the last.
process.removeAllListeners('disconnect');
process.disconnect?.();
