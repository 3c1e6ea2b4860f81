/** One test or check that did not hold. */
export type Failure = {
  /** Of the step, then of the test. */
  name: string;
  message: string;
  /** What runs just this again. */
  rerun: string;
};

/** What one step of `npm test` found. */
export type Outcome = {
  passed: number;
  failures: Failure[];
  /** Names of tests that were skipped or are only planned. */
  skipped: string[];
};

/** The command that runs one step, or one test of it, again. */
export function rerunOf(step: string, filter?: string): string {
  return filter === undefined ? `npm test -- ${step}` : `npm test -- ${step} '${filter.replaceAll("'", "'\\''")}'`;
}

/** The outcome of a step that is one check: it holds, or `message` says why not. */
export function checkOutcome(name: string, message: string | null, rerun = rerunOf(name)): Outcome {
  if (message === null) return { passed: 1, failures: [], skipped: [] };
  return { passed: 0, failures: [{ name, message, rerun }], skipped: [] };
}

/** The outcomes of several steps as one. */
export function sumOf(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failures: outcomes.flatMap(({ failures }) => failures),
    skipped: outcomes.flatMap(({ skipped }) => skipped),
  };
}

/** True only if every test ran and none failed. */
export function isGreen({ failures, skipped }: Outcome): boolean {
  return failures.length === 0 && skipped.length === 0;
}

/** The counts, worded for the last line of the whole run. */
export function countsOf({ passed, failures, skipped }: Outcome): string {
  const counts = `${passed} passed, ${failures.length} failed`;
  return skipped.length > 0 ? `${counts}, ${skipped.length} skipped` : counts;
}
