import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@hissaback/shared/db/migrate';
import type { Child } from '../../../scripts/stack/child.ts';
import { databaseUrls, setRolePasswords } from '../../../scripts/stack/database.ts';
import { type DataPaths, dataPaths, REPOSITORY } from '../../../scripts/stack/paths.ts';
import { type Ports, portsOf } from '../../../scripts/stack/ports.ts';
import { type Postgres, startPostgres, stopLeftOver } from '../../../scripts/stack/postgres.ts';
import { sandboxUrls, startSandbox } from '../../../scripts/stack/sandbox.ts';
import { loadSecrets, type Secrets } from '../../../scripts/stack/secrets.ts';
import { localVars } from '../../../scripts/stack/worker-config.ts';
import { startWorkers } from '../../../scripts/stack/workers.ts';

/** A stack's ports lie below those that the system gives to clients. */
const FIRST_PORT = 12_000;
const LAST_PORT = 19_000;
const USER = 'hissaback';

/** What dies: the Workers runtime alone, or the database and the outside world's stand-ins with it. */
export type Victim = 'runtime' | 'everything';

/** The parts of `npm start`, without its supervisor and crons: a part that is killed can be started again at once, on what it left behind. */
export class MortalStack {
  readonly origin: string;
  readonly sandbox: { agcod: string; sms: string };
  readonly databaseUrl: string;
  readonly #root: string;
  readonly #paths: DataPaths;
  readonly #ports: Ports;
  readonly #secrets: Secrets;
  #postgres: Postgres | undefined;
  #sandboxes: Child | undefined;
  #workers: Child | undefined;

  private constructor(root: string, ports: Ports, secrets: Secrets) {
    this.#root = root;
    this.#paths = dataPaths(join(root, 'data'));
    this.#ports = ports;
    this.#secrets = secrets;
    this.origin = `http://localhost:${ports.gateway}`;
    this.sandbox = sandboxUrls(ports);
    this.databaseUrl = `postgres://${USER}:${secrets.postgresPassword}@127.0.0.1:${ports.postgres}/hissaback`;
  }

  static async start(): Promise<MortalStack> {
    const root = mkdtempSync(join(tmpdir(), 'hissaback-chaos-'));
    const ports = await freePorts();
    const secrets = await loadSecrets(join(root, 'secrets.json'));
    const stack = new MortalStack(root, ports, secrets);
    try {
      await stack.#startDatabase();
      await migrate(stack.databaseUrl, join(REPOSITORY, 'migrations'));
      await setRolePasswords(stack.databaseUrl);
      await Promise.all([stack.#startSandboxes(), stack.#startRuntime()]);
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** Where the parts keep what they write; what the outside world's stand-ins write is not ours. */
  get places(): string[] {
    return [this.#paths.logs, this.#paths.state, this.#paths.postgres, this.#paths.wrangler];
  }

  /** Keeps a copy of the database, to go back to. To be called while it is dead. */
  keepDatabase(): void {
    rmSync(this.#kept, { recursive: true, force: true });
    copy(realpathSync(this.#paths.postgres), this.#kept);
  }

  /** Puts the copy in the database's place: what was committed since is lost. To be called while it is dead. */
  restoreDatabase(): void {
    const place = realpathSync(this.#paths.postgres); // for root it is a link
    rmSync(place, { recursive: true, force: true });
    copy(this.#kept, place);
  }

  get #kept(): string {
    return join(this.#root, 'kept');
  }

  /**
   * SIGKILL, as when the machine loses power. `meanwhile` runs between death and rebirth, when the database answers; `whileDead` when nothing does, which
   * is only with everything.
   */
  async killAndRestart(
    victim: Victim,
    meanwhile: () => Promise<void>,
    whileDead: () => void = () => undefined,
  ): Promise<void> {
    const dying = [this.#workers?.pid, ...(victim === 'everything' ? [this.#sandboxes?.pid, this.#postgres?.pid] : [])];
    for (const pid of dying) if (pid) killGroup(pid);
    await this.#workers?.ended;
    if (victim === 'everything') {
      await Promise.all([this.#sandboxes?.ended, this.#postgres?.ended]);
      await stopLeftOver(this.#paths.postgres);
      whileDead();
      await this.#startDatabase();
      await this.#startSandboxes();
    }
    await meanwhile();
    await this.#startRuntime();
  }

  /** Ends everything it started and deletes it. */
  async stop(): Promise<void> {
    await this.#workers?.stop();
    await this.#sandboxes?.stop();
    await this.#postgres?.stop();
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }

  async #startDatabase(): Promise<void> {
    await stopLeftOver(this.#paths.postgres);
    this.#postgres = await startPostgres({
      ...{ dir: this.#paths.postgres, port: this.#ports.postgres, user: USER, database: 'hissaback' },
      ...{ password: this.#secrets.postgresPassword, logFile: join(this.#paths.logs, 'postgres.log') },
    });
  }

  async #startSandboxes(): Promise<void> {
    const { paths, ports, secrets } = { paths: this.#paths, ports: this.#ports, secrets: this.#secrets.workers };
    const partnerId = this.#vars().AGCOD_PARTNER_ID ?? '';
    await startSandbox(
      {
        ...{ ports, secrets, partnerId, dir: paths.sandbox, logFile: join(paths.logs, 'sandbox.log') },
        ...{ origin: this.origin, watch: false, env: environment() },
      },
      (child) => {
        this.#sandboxes = child;
      },
    );
  }

  async #startRuntime(): Promise<void> {
    await startWorkers(
      {
        ...{ paths: this.#paths, ports: this.#ports, origin: this.origin, databases: databaseUrls(this.databaseUrl) },
        ...{ secrets: this.#secrets.workers, vars: this.#vars(), env: environment(), liveReload: false },
      },
      (child) => {
        this.#workers = child;
      },
    );
  }

  #vars(): Record<string, string> {
    return localVars({ ...sandboxUrls(this.#ports), origin: this.origin, trackierCsv: '' });
  }
}

/** Nothing but where programs and temporary files are: settings of the caller's must not become the stack's. */
function environment(): Record<string, string> {
  const inherited = /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_.*|TMPDIR|XDG_.*|HISSABACK_TEST_RUN|(?:https?|no)_proxy)$/i;
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => inherited.test(entry[0]) && entry[1] !== undefined,
    ),
  );
}

/** With owners and rights: the database may belong to another account. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

async function freePorts(): Promise<Ports> {
  for (;;) {
    const ports = portsOf(String(FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))));
    if ((await Promise.all(Object.values(ports).map(isFree))).every(Boolean)) return ports;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
