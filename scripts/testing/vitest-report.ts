import { relative } from 'node:path';
import { type Failure, type Outcome, rerunOf } from './outcome.ts';

/** The part of vitest's JSON report that is read here. */
export type VitestReport = {
  testResults: {
    /** Absolute path of the file. */
    name: string;
    status: string;
    /** Why the file as a whole failed, if it did. */
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] | null }[];
  }[];
};

export type VitestRun = {
  step: string;
  root: string;
  /** Null where the runner died before it wrote one. */
  report: VitestReport | null;
  /** How the runner ended: 'ended with code 0' is well. */
  exitedWell: boolean;
  ending: string;
  /** What it printed, for a failure that no test stands for. */
  output: string;
  /** Only tests whose name was asked for have run: the others are not counted. */
  byName: boolean;
  /** Something was asked for that another step may have. */
  mayBeEmpty: boolean;
};

const TAIL_LINES = 40;

/**
 * What a project's run amounts to. A runner that died or reports an error outside every test, a file that cannot be loaded and a project
 * without a test are failures; a test that was skipped or only planned is listed.
 */
export function readVitestRun(run: VitestRun): Outcome {
  const { step, root, report } = run;
  const outcome: Outcome = { passed: 0, failures: [], skipped: [] };
  const fail = (failure: Failure) => outcome.failures.push(failure);
  for (const file of report?.testResults ?? []) {
    const path = relative(root, file.name);
    for (const test of file.assertionResults) {
      const name = `${step} > ${path} > ${test.fullName}`;
      if (test.status === 'passed') outcome.passed += 1;
      else if (test.status === 'failed') {
        const message = test.failureMessages?.join('\n') || 'it failed without a message';
        fail({ name, message, rerun: rerunOf(step, test.fullName) });
      } else if (!run.byName) outcome.skipped.push(name);
    }
    const failed = file.assertionResults.some(({ status }) => status === 'failed');
    if (file.status === 'failed' && !failed)
      fail({ name: `${step} > ${path}`, message: file.message || 'it failed as a whole', rerun: rerunOf(step, path) });
  }
  const whole = (message: string) =>
    fail({ name: step, message: `${message}\n${tailOf(run.output)}`, rerun: rerunOf(step) });
  if (report === null) whole(`the run ${run.ending} and left no report`);
  else if (outcome.failures.length > 0) return outcome;
  else if (!run.exitedWell) whole(`the run ${run.ending} although no test failed: an error outside every test`);
  else if (outcome.passed + outcome.skipped.length === 0 && !run.mayBeEmpty) whole('no test was found');
  return outcome;
}

/** Files that ran at least one test or tried to, as paths from `root`. */
export function filesOf(report: VitestReport | null, root: string): string[] {
  return (report?.testResults ?? []).map(({ name }) => relative(root, name));
}

/** The last lines of what a program printed. */
export function tailOf(output: string): string {
  return output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
