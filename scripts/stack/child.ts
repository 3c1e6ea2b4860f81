import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { REPOSITORY } from './paths.ts';
import { signal, until } from './process-identity.ts';

export type Child = {
  name: string;
  pid: number;
  logFile: string;
  /** Resolves with how it ended, in words, whenever it ends. */
  ended: Promise<string>;
  /** SIGTERM, which it passes on to its own children; SIGKILL to what is left of its group after `within` milliseconds. */
  stop(within?: number): Promise<void>;
};

export type ChildOptions = {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string>;
  logFile: string;
  /** Called for each line of its output; false keeps the line out of the log. */
  onLine?: (line: string) => boolean;
};

/** Begins a fresh log, keeping the one of the run before, which may explain why that run ended. */
export function freshLog(logFile: string): string {
  mkdirSync(dirname(logFile), { recursive: true });
  if (existsSync(logFile)) renameSync(logFile, logFile.replace(/\.log$/, '.previous.log'));
  return logFile;
}

/** The last lines of a log, for a message about why its process ended. */
export function lastLines(logFile: string, count = 12): string {
  const text = existsSync(logFile) ? readFileSync(logFile, 'utf8') : '';
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The lines of a log from its first error on; its last lines if it names none. */
export function firstError(logFile: string, count = 12): string {
  const lines = (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '').split('\n');
  const at = lines.findIndex((line) => /\bERROR\b/.test(line));
  return at === -1
    ? lastLines(logFile, count)
    : lines
        .slice(at, at + count)
        .join('\n')
        .trimEnd();
}

function isGroupAlive(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

/** Starts a process in a group of its own, so that a Ctrl-C meant for the stack does not end its parts in random order. */
export function startChild(options: ChildOptions): Child {
  const log = createWriteStream(freshLog(options.logFile), { mode: 0o600 });
  const child: ChildProcess = spawn(options.command, options.args, {
    cwd: REPOSITORY,
    env: options.env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (coloured) => {
      const line = stripVTControlCharacters(coloured);
      if ((options.onLine?.(line) ?? true) && !log.writableEnded) log.write(`${line}\n`);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, by) => {
      // Its last words may still be on their way, and a grandchild that outlives it would keep the pipes open for good.
      const settle = () => log.end(() => resolve(by ? `ended by ${by}` : `ended with code ${code}`));
      const patience = setTimeout(settle, 300);
      child.once('close', () => {
        clearTimeout(patience);
        settle();
      });
    });
  });
  const pid = child.pid ?? 0;
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    ended,
    async stop(within = 4000) {
      if (pid === 0) return;
      signal(pid, 'SIGTERM');
      await Promise.race([ended, until(() => false, within)]);
      // Also the grandchildren of a leader that died without waiting for them.
      if (signal(-pid, 'SIGKILL')) await until(() => !isGroupAlive(pid), 500);
      await ended;
    },
  };
}
