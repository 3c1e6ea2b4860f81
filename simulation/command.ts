import { createHash } from 'node:crypto';
import { startTestServer, type TestServer } from '../tests/support/postgres.ts';
import { type DayReport, type SimulationResult, simulate } from './simulation.ts';

export type Run = { readonly seed: number; readonly days: number };

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function progress(seed: number, { day, date, conversions, postbacks, payouts, cards }: DayReport): void {
  say(
    `seed ${seed}  day ${String(day).padStart(3)}  ${date}  ${conversions} conversions, ${postbacks} postbacks, ${payouts} payouts, ${cards} cards: model and database agree`,
  );
}

/** Plays these runs one after another on one PostgreSQL; false if one failed. TEST_DATABASE_URL is used if it is set. */
export async function playAll(runs: readonly Run[], isVerbose: boolean): Promise<boolean> {
  const { stop, ...server } = await startTestServer();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  const failed: number[] = [];
  try {
    for (const run of runs) if (!(await play(server, run, isVerbose))) failed.push(run.seed);
  } finally {
    await stop();
  }
  const which = failed.length === 0 ? '' : `; not in ${failed.join(', ')}`;
  say(`\n${runs.length - failed.length} of ${runs.length} seeds: model and database agree${which}`);
  return failed.length === 0;
}

/** Short enough to compare by eye: two runs of one seed have the same. */
function digestOf(fingerprint: string): string {
  return createHash('sha256').update(fingerprint).digest('hex').slice(0, 12);
}

async function play(server: TestServer, { seed, days }: Run, isVerbose: boolean): Promise<boolean> {
  const began = performance.now();
  const seconds = (): string => `${((performance.now() - began) / 1_000).toFixed(1)} s`;
  try {
    const onDay = (report: DayReport): void => {
      if (isVerbose || report.day % 10 === 0) progress(seed, report);
    };
    const result: SimulationResult = await simulate(server, { seed, days, onDay });
    say(
      `seed ${seed}  ok  ${result.days} days, ${result.conversions} conversions, ${result.expired} expired, ${result.cards} cards, digest ${digestOf(result.fingerprint)} in ${seconds()}`,
    );
    return true;
  } catch (error) {
    const isOwn = error instanceof Error && error.name === 'SimulationFailure';
    const what = isOwn ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(`seed ${seed}  FAILED after ${seconds()}\n\n${what}\n`);
    return false;
  }
}
