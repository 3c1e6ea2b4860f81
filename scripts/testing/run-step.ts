import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../stack/paths.ts';
import { type RunningChild, startChild } from './child-process.ts';
import { checkOutcome, type Outcome } from './outcome.ts';
import { checkoutFiles, type Step } from './steps.ts';
import { filesOf, readVitestRun, tailOf, type VitestReport } from './vitest-report.ts';

const CHECK_LIMIT = 120_000;
const PROJECT_LIMIT = 400_000;
/** Waits for queues and starts the platform several times. */
const ALONE_LIMIT = 600_000;

export type StepContext = {
  env: NodeJS.ProcessEnv;
  /** Folder for reports. */
  folder: string;
  filter: string | undefined;
  /** Told of the program as soon as it runs. */
  started: (child: RunningChild) => void;
};

export type StepResult = {
  outcome: Outcome;
  /** Test files that ran, from the checkout's top. */
  files: string[];
};

/** Runs one step to its end; never throws for a step that fails. */
export async function runStep(step: Step, context: StepContext): Promise<StepResult> {
  return step.kind === 'check' ? runCheck(step, context) : runProject(step, context);
}

async function runCheck(step: Extract<Step, { kind: 'check' }>, { env, started }: StepContext): Promise<StepResult> {
  const { name, command, args, cwd } = step;
  const child = startChild({ command, args, cwd, env, limit: CHECK_LIMIT });
  started(child);
  const { code, ending, output } = await child.ended;
  return { outcome: checkOutcome(name, code === 0 ? null : `it ${ending}\n${tailOf(output)}`), files: [] };
}

async function runProject(step: Extract<Step, { kind: 'vitest' }>, context: StepContext): Promise<StepResult> {
  const { name, config } = step;
  const { filter } = context;
  const reportFile = join(context.folder, `${name.replaceAll('/', '-')}.json`);
  const isFile = filter !== undefined && checkoutFiles('**/*.test.ts').some((file) => file.includes(filter));
  const child = startChild({
    command: process.execPath,
    args: [
      join(REPOSITORY, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...['--config', join(REPOSITORY, config)],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`],
      ...(filter === undefined
        ? []
        : isFile
          ? [filter, '--passWithNoTests']
          : ['--testNamePattern', literally(filter)]),
    ],
    cwd: join(REPOSITORY, dirname(config)),
    env: context.env,
    limit: step.alone ? ALONE_LIMIT : PROJECT_LIMIT,
  });
  context.started(child);
  const { code, ending, output } = await child.ended;
  const report = readReport(reportFile);
  const outcome = readVitestRun({
    step: name,
    root: REPOSITORY,
    report,
    exitedWell: code === 0,
    ending,
    output,
    byName: filter !== undefined && !isFile,
    mayBeEmpty: filter !== undefined,
  });
  return { outcome, files: filesOf(report, REPOSITORY) };
}

function readReport(file: string): VitestReport | null {
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // the runner died while it wrote
  }
}

/** A regular expression for exactly this text. */
function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
