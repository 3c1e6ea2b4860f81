import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Child, firstError, startChild } from './child.ts';
import { committedConfigs } from './committed-configs.ts';
import type { DatabaseUrls } from './database.ts';
import { StackFailure } from './failure.ts';
import { type DataPaths, REPOSITORY } from './paths.ts';
import type { Ports } from './ports.ts';
import type { WorkerSecrets } from './secrets.ts';
import { CONFIG_FOLDERS, devVars, localConfig, WORKERS, type WorkerName } from './worker-config.ts';

const READY_WITHIN = 90_000;

export type WorkersOptions = {
  paths: DataPaths;
  ports: Ports;
  origin: string;
  databases: DatabaseUrls;
  secrets: WorkerSecrets;
  vars: Record<string, string>;
  env: Record<string, string>;
  liveReload: boolean;
};

const DATABASE_OF: Partial<Record<WorkerName, keyof DatabaseUrls>> = {
  api: 'api',
  webhook: 'webhook',
  'payout-cron': 'payout',
};

/** Writes each worker's generated wrangler.json and `.dev.vars` below DATA_DIR; answers the configurations' paths. */
async function generateConfigs(options: WorkersOptions): Promise<string[]> {
  const configs = await committedConfigs(join(options.paths.cache, 'wrangler-configs.json'));
  return WORKERS.map((worker) => {
    const committed = configs[worker];
    const database = DATABASE_OF[worker];
    const config = localConfig(committed, {
      vars: options.vars,
      env: process.env,
      main: resolve(REPOSITORY, CONFIG_FOLDERS[worker], committed.main),
      ...(database ? { databaseUrl: options.databases[database] } : {}),
    });
    const folder = join(options.paths.wrangler, worker);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'wrangler.json'), JSON.stringify(config, null, 2), { mode: 0o600 });
    writeFileSync(join(folder, '.dev.vars'), devVars(worker, options.secrets), { mode: 0o600 });
    return join(folder, 'wrangler.json');
  });
}

/** Whether the gateway answers: a cheap request that reaches the runtime's queues. */
export async function answers(origin: string, within = 5000): Promise<boolean> {
  try {
    return (await fetch(`${origin}/__queues`, { signal: AbortSignal.timeout(within) })).ok;
  } catch {
    return false;
  }
}

/** Starts every worker in one local runtime; resolves when the gateway answers. Throws StackFailure if it does not. */
export async function startWorkers(options: WorkersOptions, started: (child: Child) => void): Promise<Child> {
  const { paths, ports } = options;
  const configs = await generateConfigs(options);
  let end: string | undefined;
  const child = startChild({
    name: 'workers',
    command: process.execPath,
    args: [
      join(REPOSITORY, 'node_modules/.bin/wrangler'),
      'dev',
      ...configs.flatMap((config) => ['--config', config]),
      ...['--ip', '127.0.0.1', '--port', String(ports.gateway), '--inspector-port', String(ports.inspector)],
      ...['--persist-to', paths.state, '--show-interactive-dev-session=false'],
      ...(options.liveReload ? ['--live-reload'] : []),
    ],
    env: {
      // A developer's own CLOUDFLARE_ENV or WRANGLER_* settings are about deployments, not about this stack.
      ...Object.fromEntries(Object.entries(options.env).filter(([name]) => !/^(CLOUDFLARE|WRANGLER)_/.test(name))),
      CI: '1',
      FORCE_COLOR: '0',
      // Nothing of one stack may meet another's: workers of two stacks bear the same names.
      WRANGLER_REGISTRY_PATH: join(paths.cache, 'registry'),
      WRANGLER_LOG_PATH: join(paths.logs, 'wrangler'),
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      NODE_COMPILE_CACHE: join(paths.cache, 'compiled'),
    },
    logFile: join(paths.logs, 'workers.log'),
    // A line for every request, with nothing in it that the workers' own log lines do not say better.
    onLine: (line) => {
      if (/Build failed with \d+ error/.test(line)) end ??= 'their code does not build';
      return !/^\[wrangler:info\] [A-Z]+ \//.test(line);
    },
  });
  started(child);
  void child.ended.then((how) => {
    end ??= how;
  });
  const deadline = performance.now() + READY_WITHIN;
  while (!(await answers(options.origin))) {
    if (end !== undefined || performance.now() > deadline) {
      await child.stop();
      throw new StackFailure(
        `The workers did not start (${end ?? 'they do not answer'})\n${firstError(child.logFile)}`,
        `Their whole log is ${child.logFile}`,
      );
    }
    await new Promise((again) => setTimeout(again, 50));
  }
  return child;
}

/** Messages waiting in the local runtime's queues; 0 if it does not answer. */
async function backlog(origin: string): Promise<number> {
  try {
    const response = await fetch(`${origin}/__queues`, { signal: AbortSignal.timeout(1000) });
    const counts = (await response.json()) as Record<string, number>;
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  } catch {
    return 0;
  }
}

/**
 * Waits, up to `within` milliseconds, until the queues are empty. The local runtime keeps them in memory: what is still in
 * them when it ends is gone, a postback that was answered with 200 included.
 */
export async function drainQueues(origin: string, within = 4000): Promise<void> {
  const deadline = performance.now() + within;
  // The backlog does not count the batch being worked on: twice empty, a moment apart, is empty.
  for (let empty = 0; empty < 2 && performance.now() < deadline; ) {
    empty = (await backlog(origin)) === 0 ? empty + 1 : 0;
    await new Promise((again) => setTimeout(again, 200));
  }
}
