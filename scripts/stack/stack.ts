import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@hissaback/shared/db/migrate';
import { seed } from '../seed.ts';
import type { Child } from './child.ts';
import { fireCrons } from './cron-runner.ts';
import { databaseUrls, setRolePasswords } from './database.ts';
import { StackFailure } from './failure.ts';
import { type DataPaths, dataPaths, REPOSITORY } from './paths.ts';
import { assertFree, type PortName, type Ports, portsOf } from './ports.ts';
import { type Postgres, startPostgres, stopLeftOver } from './postgres.ts';
import { say } from './progress.ts';
import { MARKER, RunRecord } from './run-record.ts';
import { firstToken, sandboxUrls, startSandbox } from './sandbox.ts';
import { cronToken, loadSecrets, overrideSecrets, type Secrets, type WorkerSecrets } from './secrets.ts';
import type { SeedResult } from './seeding.ts';
import { cronUrls, type StackFile, writeStackFile } from './stack-file.ts';
import { localVars } from './worker-config.ts';
import { answers, drainQueues, startWorkers } from './workers.ts';

export type StackOptions = {
  env: NodeJS.ProcessEnv;
  /** Reload pages and the sandboxes too when their code changes; the workers always are. */
  watch: boolean;
  /** Called if a part ends, or goes silent, by itself while the stack runs. */
  onFailure: (failure: StackFailure) => void;
};

const POSTGRES_USER = 'hissaback';
const HEALTH_EVERY = 5000;
/** A machine under load may be silent for a while; a runtime that died stays so. */
const SILENT_FOR = 60_000;

/** No connection, no such user or password, no such database: nothing that a migration could mean. */
const UNREACHABLE = /^(?:E[A-Z]+|28[0-9A-Z]{3}|3D000|08[0-9A-Z]{3})$/;

/** The server to use instead of the embedded one, as its superuser; undefined if the variable is missing or empty. */
function externalDatabase({ DATABASE_URL }: NodeJS.ProcessEnv): string | undefined {
  if (!DATABASE_URL) return undefined;
  if (/^postgres(?:ql)?:$/.test(URL.parse(DATABASE_URL)?.protocol ?? '')) return DATABASE_URL;
  throw new StackFailure('DATABASE_URL is no postgres:// address', 'Put it right, or leave it unset');
}

/** Everything `npm start` runs: PostgreSQL, the sandboxes, the workers and their crons. */
export class Stack {
  readonly #options: StackOptions;
  readonly #paths: DataPaths;
  readonly #ports: Ports;
  readonly #origin: string;
  readonly #children: Child[] = [];
  #record: RunRecord | undefined;
  #postgres: Postgres | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #stopCrons: () => void = () => {};
  #health: NodeJS.Timeout | undefined;
  #ready = false;
  #stopping: Promise<void> | undefined;

  constructor(options: StackOptions) {
    this.#options = options;
    this.#paths = dataPaths(options.env.DATA_DIR || '.data');
    this.#ports = portsOf(options.env.PORT);
    this.#origin = `http://localhost:${this.#ports.gateway}`;
  }

  /** Starts everything; resolves when it answers and stack.json is there. Throws StackFailure; `stop` cleans up after it. */
  async start(): Promise<StackFile> {
    const { env } = this.#options;

    this.#record = await RunRecord.claim(this.#paths, (pid) => say(`waiting for process ${pid} to stop`));
    if (this.#record.swept > 0) say(`ended ${this.#record.swept} processes of a run that was killed`);
    await stopLeftOver(this.#paths.postgres);
    const external = externalDatabase(env);
    const wanted = (Object.keys(this.#ports) as PortName[]).filter((name) => !(external && name === 'postgres'));
    await assertFree(this.#ports, wanted);

    const secrets = await loadSecrets(this.#paths.secrets);
    const workerSecrets = overrideSecrets(secrets.workers, env);
    const ownerUrl = external ?? this.#embeddedUrl(secrets);
    const databases = databaseUrls(ownerUrl);
    const sandbox = sandboxUrls(this.#ports);
    const vars = localVars({
      ...sandbox,
      origin: this.#origin,
      trackierCsv: `${sandbox.trackier}/daily.csv?key=${workerSecrets.TRACKIER_API_KEY}`,
    });
    const trackier = env.TRACKIER_ENDPOINT ?? sandbox.trackier;

    // Their order matters only at the end: the seed's links reach KV once the workers answer.
    const parts = [
      this.#prepareDatabase(secrets, ownerUrl, trackier),
      this.#startSandbox(workerSecrets, env.AGCOD_PARTNER_ID ?? vars.AGCOD_PARTNER_ID ?? ''),
      this.#startWorkers(databases, workerSecrets, vars),
    ] as const;
    this.#starting = Promise.allSettled(parts);
    const [seeded] = await Promise.all(parts);

    const cron = cronUrls(this.#origin);
    await this.#catchUp('publish', cron.publish);
    await this.#catchUp('inbox', cron.inbox);
    const stack: StackFile = {
      origin: this.#origin,
      redirect: this.#origin,
      api: this.#origin,
      webhook: this.#origin,
      database: databases,
      sandbox,
      webhookToken: firstToken(workerSecrets.WEBHOOK_TOKENS),
      cronToken: await cronToken(workerSecrets.JWT_KEYS),
      operatorPhone: seeded.operatorPhone,
      demo: seeded.demo,
      cron,
    };
    this.#assertNotStopping();
    writeStackFile(this.#paths.stackFile, stack);
    this.#ready = true;
    if (env.CRONS !== 'off') this.#stopCrons = fireCrons(cron, join(this.#paths.logs, 'crons.log'));
    this.#watchHealth();
    return stack;
  }

  /** Stops everything in an order that loses nothing. Resolves when no process is left; calling it again waits for the same. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #embeddedUrl(secrets: Secrets): string {
    return `postgres://${POSTGRES_USER}:${secrets.postgresPassword}@127.0.0.1:${this.#ports.postgres}/hissaback`;
  }

  async #prepareDatabase(secrets: Secrets, ownerUrl: string, trackier: string): Promise<SeedResult> {
    if (externalDatabase(this.#options.env) === undefined) {
      await this.#startPostgres(secrets);
      say(`PostgreSQL 15 answers on port ${this.#ports.postgres}`);
    }
    const applied = await this.#migrate(ownerUrl);
    await setRolePasswords(ownerUrl);
    say(applied === 0 ? 'the database is up to date' : `${applied} migrations have run`);
    const seeded = await seed({ ownerUrl, origin: this.#origin, trackier });
    say('the demo tenant is there');
    return seeded;
  }

  async #startPostgres(secrets: Secrets): Promise<void> {
    const postgres = await startPostgres({
      dir: this.#paths.postgres,
      port: this.#ports.postgres,
      user: POSTGRES_USER,
      password: secrets.postgresPassword,
      logFile: join(this.#paths.logs, 'postgres.log'),
    });
    this.#postgres = postgres;
    void postgres.ended.then((how) => this.#postgresEnded(secrets, how, postgres.logFile));
  }

  /** The workers live through an outage of their database, so it is started again, as a hosted one would be. */
  async #postgresEnded(secrets: Secrets, how: string, logFile: string): Promise<void> {
    if (!this.#ready || this.#stopping) return;
    say(`PostgreSQL ended by itself (${how}); starting it again`);
    const again = this.#startPostgres(secrets);
    this.#starting = Promise.allSettled([again]);
    try {
      await again;
      say('PostgreSQL answers again');
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
      this.#partEnded('PostgreSQL', `${how}; started again: ${why}`, logFile);
    }
  }

  async #migrate(ownerUrl: string): Promise<number> {
    try {
      const { applied } = await migrate(ownerUrl, join(REPOSITORY, 'migrations'));
      return applied.length;
    } catch (error) {
      const { code } = error as { code?: string };
      if (externalDatabase(this.#options.env) !== undefined && UNREACHABLE.test(code ?? ''))
        throw new StackFailure(
          `The server of DATABASE_URL cannot be used (${code})`,
          'It has to run, let that user in, and have that database; or leave DATABASE_URL unset: a server comes with the stack',
          { cause: error },
        );
      throw new StackFailure(
        `The migrations have failed: ${error instanceof Error ? error.message : error}`,
        `Put them right; or, if its data may go, delete ${this.#paths.root} and start again`,
        { cause: error },
      );
    }
  }

  async #startSandbox(secrets: WorkerSecrets, partnerId: string): Promise<void> {
    await startSandbox(
      {
        ports: this.#ports,
        dir: this.#paths.sandbox,
        logFile: join(this.#paths.logs, 'sandbox.log'),
        origin: this.#origin,
        secrets,
        partnerId,
        watch: this.#options.watch,
        env: this.#childEnv(),
      },
      (child) => this.#adopt(child),
    );
    say('the sandboxes of AGCOD, Trackier, SMS, the pager and the resolver answer');
  }

  async #startWorkers(
    databases: StackFile['database'],
    secrets: WorkerSecrets,
    vars: Record<string, string>,
  ): Promise<void> {
    await startWorkers(
      {
        paths: this.#paths,
        ports: this.#ports,
        origin: this.#origin,
        databases,
        secrets,
        vars,
        env: this.#childEnv(),
        liveReload: this.#options.watch,
      },
      (child) => this.#adopt(child),
    );
    say(`the workers answer at ${this.#origin}`);
  }

  /** The environment of a child: ours, plus the mark by which the next start knows whose child it was. */
  #childEnv(): Record<string, string> {
    const inherited = Object.entries(this.#options.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return { ...Object.fromEntries(inherited), [MARKER]: this.#paths.root };
  }

  #adopt(child: Child): void {
    this.#children.push(child);
    this.#record?.add(child.name, child.pid);
    void child.ended.then((how) => this.#partEnded(`The process of the ${child.name}`, how, child.logFile));
    if (this.#stopping) void child.stop();
  }

  /** Runs a sweep at once: the seed's links belong in KV, and a crash may have left postbacks in the inbox. */
  async #catchUp(name: string, url: string): Promise<void> {
    const response = await fetch(url, { method: 'POST' });
    if (response.ok) return;
    throw new StackFailure(
      `The schedule ${name} failed (${await response.text()})`,
      `The workers' log is ${join(this.#paths.logs, 'workers.log')}`,
    );
  }

  #partEnded(what: string, how: string, logFile: string): void {
    if (!this.#ready || this.#stopping) return;
    this.#options.onFailure(
      new StackFailure(`${what} ended by itself (${how})`, `Its log is ${logFile}; then start again: npm start`),
    );
  }

  /** The runtime inside the workers' process can die without it: ask it now and then. */
  #watchHealth(): void {
    let heard = performance.now();
    let isAsking = false;
    this.#health = setInterval(async () => {
      if (isAsking) return;
      isAsking = true;
      if (await answers(this.#origin, 20_000)) heard = performance.now();
      isAsking = false;
      if (performance.now() - heard > SILENT_FOR) {
        this.#partEnded('The workers', 'they no longer answer', join(this.#paths.logs, 'workers.log'));
      }
    }, HEALTH_EVERY);
  }

  #assertNotStopping(): void {
    if (this.#stopping) throw new StackFailure('The start was interrupted', 'Start again: npm start');
  }

  async #stop(): Promise<void> {
    clearInterval(this.#health);
    this.#stopCrons();
    if (this.#record) rmSync(this.#paths.stackFile, { force: true });
    if (this.#ready) await drainQueues(this.#origin);
    // The sandboxes last among the two: a worker in the middle of a payout still gets its answer.
    for (const child of this.#children.toReversed()) await child.stop();
    await this.#starting;
    await this.#postgres?.stop();
    this.#record?.release();
  }
}
