import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { REPOSITORY } from '../stack/paths.ts';
import { signal, until } from '../stack/process-identity.ts';

export type Ended = { code: number | null; ending: string; output: string };

export type RunningChild = {
  ended: Promise<Ended>;
  /** What it has printed so far. */
  output(): string;
  /** SIGTERM to its whole group, SIGKILL to what is left of it after `within` milliseconds. */
  stop(within?: number): Promise<void>;
};

export type ChildCommand = {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** Milliseconds after which it is stopped. */
  limit: number;
};

/** The most of a program's output that is kept: its last part. */
const OUTPUT_LIMIT = 256 * 1024;

/** Runs a program in a process group of its own, without stdin; its output is kept, without colours. */
export function startChild({ command, args, env, cwd = REPOSITORY, limit }: ChildCommand): RunningChild {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const pid = child.pid ?? 0;
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + stripVTControlCharacters(chunk)).slice(-OUTPUT_LIMIT);
    });
  let overdue = false;
  let isOver = false;
  const stop = async (within = 3000) => {
    if (pid === 0 || isOver) return;
    signal(-pid, 'SIGTERM');
    if (!(await until(() => isOver, within))) signal(-pid, 'SIGKILL');
  };
  const timer = setTimeout(() => {
    overdue = true;
    void stop();
  }, limit);
  const ended = new Promise<Ended>((resolve) => {
    const settle = (code: number | null, ending: string) => {
      clearTimeout(timer);
      isOver = true;
      resolve({ code, ending: overdue ? `did not end within ${Math.round(limit / 1000)} s` : ending, output });
    };
    child.once('error', (error) => settle(null, `could not be started (${error.message})`));
    child.once('exit', (code, by) => {
      // A grandchild may hold the pipes open: its last words get a moment, not for ever.
      const patience = setTimeout(() => settle(code, by ? `was ended by ${by}` : `ended with code ${code}`), 1000);
      child.once('close', () => {
        clearTimeout(patience);
        settle(code, by ? `was ended by ${by}` : `ended with code ${code}`);
      });
    });
  });
  return { ended, output: () => output, stop };
}
