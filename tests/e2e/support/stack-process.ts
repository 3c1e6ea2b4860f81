import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '../../../scripts/stack/paths.ts';
import type { StackFile } from '../../../scripts/stack/stack-file.ts';
import { until } from './until.ts';

/** A stack's place on this machine: it may be started there again and again. */
export type StackPlace = { port: number; dataDir: string; logFile: string };

export type StackProcess = {
  stack: StackFile;
  pid: number;
  /** SIGTERM, as Ctrl-C does; resolves when the process has ended. */
  stop(): Promise<void>;
  /** SIGKILL to everything it started, as when the machine loses power. */
  kill(): Promise<void>;
};

const START_LIMIT = 120_000;
const STOP_LIMIT = 30_000;
/** A stack's ports lie below those that the system gives to clients. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const PORTS_IN_USE = 8;

/** What a stack is told beside its place: no crons of its own, and shorter waits than production's. */
const SETTINGS = {
  CRONS: 'off',
  AGCOD_PROBE_SECONDS: '2',
  TRACKIER_RETRY_BASE_MS: '200',
};
/** Nothing else of the caller's environment reaches a stack: a DATABASE_URL there must not become the tests'. */
const INHERITED =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_.*|TMPDIR|CI|XDG_.*|WRANGLER_.*|CLOUDFLARE_CF_FETCH_ENABLED|HISSABACK_TEST_RUN|(?:https?|no)_proxy)$/i;

/** A fresh place: free ports, an empty DATA_DIR below the system's folder for temporary files. */
export async function freshPlace(): Promise<StackPlace> {
  const root = mkdtempSync(join(tmpdir(), 'hissaback-e2e-'));
  return { port: await freePorts(), dataDir: join(root, 'data'), logFile: join(root, 'stack.log') };
}

/** Deletes everything of a place whose stack has ended. */
export function removePlace({ dataDir }: StackPlace): void {
  rmSync(join(dataDir, '..'), { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Starts the whole platform as `npm start` does; resolves when stack.json is there.
 * @throws Error with what it printed, if it ends before that or takes too long
 */
export async function startStack(place: StackPlace): Promise<StackProcess> {
  const log = openSync(place.logFile, 'a');
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.test(name));
  const env: Record<string, string | undefined> = {
    ...Object.fromEntries(inherited),
    ...SETTINGS,
    PORT: String(place.port),
    DATA_DIR: place.dataDir,
  };
  const child = spawn(join(REPOSITORY, 'node_modules/.bin/node'), [join(REPOSITORY, 'scripts/start.ts')], {
    cwd: REPOSITORY,
    env: env as NodeJS.ProcessEnv,
    // The channel breaks when this process dies, and the stack stops by itself.
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stackFile = join(place.dataDir, 'stack.json');
  const deadline = performance.now() + START_LIMIT;
  while (!existsSync(stackFile)) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      await stop(child, exited);
      throw new Error(`the stack did not start:\n${readFileSync(place.logFile, 'utf8')}`);
    }
    await new Promise((again) => setTimeout(again, 50));
  }
  return {
    stack: JSON.parse(readFileSync(stackFile, 'utf8')),
    pid: child.pid ?? 0,
    stop: () => stop(child, exited),
    kill: async () => {
      for (const pid of pidsOf(place, child.pid ?? 0)) killGroup(pid);
      await exited;
    },
  };
}

/** Stops a stack that another process of the suite started. */
export async function stopStack(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  await until('the end of the stack', async () => !isAlive(pid), STOP_LIMIT);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const tooSlow = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
  await exited;
  clearTimeout(tooSlow);
}

/** The stack's own process, and the leaders of the groups that its parts run in. */
function pidsOf({ dataDir }: StackPlace, supervisor: number): number[] {
  const { children } = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { children: { pid: number }[] };
  const pidFile = join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
  const postgres = existsSync(pidFile) ? [Number(readFileSync(pidFile, 'utf8').split('\n')[0])] : [];
  return [supervisor, ...children.map(({ pid }) => pid), ...postgres];
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

async function freePorts(): Promise<number> {
  for (;;) {
    const base = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const free = await Promise.all(Array.from({ length: PORTS_IN_USE }, (_, offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
