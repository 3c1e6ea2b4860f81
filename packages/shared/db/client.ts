import { NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres';
import { PgDialect } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { type Random, systemRandom } from '../domain/chance.ts';
import { isUuid } from '../domain/uuid.ts';
import { type DatabaseBinding, newClient } from './connection.ts';
import {
  AmbiguousCommitError,
  isConnectionLoss,
  isRetryable,
  TransactionAbortedError,
  TransactionInProgressError,
} from './errors.ts';
import type { Database, Identity, QueryResult, TransactionOptions, Tx } from './types.ts';

export { type DatabaseBinding, databaseBinding } from './connection.ts';
export { AmbiguousCommitError, sqlState, TransactionAbortedError, TransactionInProgressError } from './errors.ts';
export type { Database, Orm, QueryResult, TransactionOptions, Tx } from './types.ts';

export type DatabaseOptions = {
  /** Where the jitter of a retry's delay comes from. */
  random?: Random;
  /** Waits for a number of milliseconds. */
  sleep?: (milliseconds: number) => Promise<void>;
};

const DEFAULT_RETRIES = 5;
const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 15_000;
/** Beyond the server's own timeout we stop waiting for a server that does not answer at all. */
const ANSWER_GRACE_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;
const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 1_000;

const timerSleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * A database for one request or one batch: nothing is connected before the first transaction. Never keep one in module scope. The binding is a
 * Hyperdrive or any `{connectionString}`; `databaseBinding` chooses for an environment that may have either.
 */
export function openDatabase(binding: DatabaseBinding, options: DatabaseOptions = {}): Database {
  return new ClientDatabase(binding, options.random ?? systemRandom, options.sleep ?? timerSleep);
}

type Connection = { client: pg.Client; lost: boolean; used: boolean };

class ClientDatabase implements Database {
  readonly #binding: DatabaseBinding;
  readonly #random: Random;
  readonly #sleep: (milliseconds: number) => Promise<void>;
  #connection: Connection | null = null;
  #busy = false;
  #ended = false;

  constructor(binding: DatabaseBinding, random: Random, sleep: (milliseconds: number) => Promise<void>) {
    this.#binding = binding;
    this.#random = random;
    this.#sleep = sleep;
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.#busy)
      throw new TransactionInProgressError('this database has an open transaction: one at a time, never nested');
    this.#busy = true;
    try {
      const retries = options.retries ?? DEFAULT_RETRIES;
      for (let attempt = 0; ; attempt++) {
        try {
          return await this.#attempt(work, options);
        } catch (error) {
          if (!isRetryable(error) || attempt >= retries) throw error;
        }
        await this.#sleep(this.#delay(attempt));
      }
    } finally {
      this.#busy = false;
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#discard();
  }

  /** Full jitter below a doubling bound, in milliseconds. */
  #delay(attempt: number): number {
    const bound = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
    const [high = 0, low = 0] = this.#random.bytes(2);
    return Math.floor((bound * ((high << 8) | low)) / 0xffff);
  }

  async #attempt<T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions): Promise<T> {
    const timeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    const connection = await this.#begin(beginStatement(timeoutMs, options.identity ?? {}));
    const session = new TransactionSession(connection.client, timeoutMs + ANSWER_GRACE_MS);
    let result: T;
    try {
      result = await work(session.tx);
    } catch (error) {
      await session.close();
      await this.#rollback(connection);
      throw error;
    }
    await session.close();
    await this.#commit(connection);
    return result;
  }

  async #begin(statement: string): Promise<Connection> {
    for (;;) {
      const connection = await this.#connect();
      const reused = connection.used;
      connection.used = true;
      try {
        await connection.client.query({ text: statement, query_timeout: STATEMENT_TIMEOUT_MS } as pg.QueryConfig);
        return connection;
      } catch (error) {
        await this.#discard();
        // An idle connection may have been closed meanwhile; nothing has happened on it yet, so another one serves as well.
        if (!reused || !isConnectionLoss(error)) throw error;
      }
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#ended) throw new Error('the database was closed');
    if (this.#connection && !this.#connection.lost) return this.#connection;
    const connection: Connection = { client: await newClient(this.#binding), lost: false, used: false };
    const lose = (): void => {
      connection.lost = true;
    };
    // Without a listener a socket closed by the pooler is an unhandled error.
    connection.client.on('error', lose);
    connection.client.on('end', lose);
    this.#connection = connection;
    try {
      await connection.client.connect();
    } catch (error) {
      connection.lost = true;
      await this.#discard();
      throw error;
    }
    return connection;
  }

  async #commit(connection: Connection): Promise<void> {
    let command: string;
    try {
      ({ command } = await connection.client.query({
        text: 'commit',
        query_timeout: STATEMENT_TIMEOUT_MS,
      } as pg.QueryConfig));
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      await this.#discard();
      throw new AmbiguousCommitError('the connection was lost at COMMIT', { cause: error });
    }
    if (command === 'ROLLBACK')
      throw new TransactionAbortedError('a failed statement was ignored: nothing was committed');
  }

  async #rollback(connection: Connection): Promise<void> {
    if (!connection.lost) {
      try {
        await connection.client.query({ text: 'rollback', query_timeout: STATEMENT_TIMEOUT_MS } as pg.QueryConfig);
        return;
      } catch {
        // The server rolls back what it no longer hears of.
      }
    }
    await this.#discard();
  }

  /** Closes and forgets the connection; a socket that is closed already, or never answers, is no error. */
  async #discard(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    if (!connection) return;
    const closed = connection.client.end().catch(() => undefined);
    if (connection.lost) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([closed, deadline]);
    clearTimeout(timer);
  }
}

/** BEGIN with everything that holds for this transaction, in one round trip. All keys are set, so that none is inherited from a pooled session. */
function beginStatement(statementTimeoutMs: number, identity: Identity): string {
  if (!Number.isSafeInteger(statementTimeoutMs) || statementTimeoutMs <= 0)
    throw new RangeError('a timeout is a positive number of milliseconds');
  const settings: [string, string][] = [
    ['statement_timeout', String(statementTimeoutMs)],
    ['lock_timeout', String(LOCK_TIMEOUT_MS)],
    ['idle_in_transaction_session_timeout', String(IDLE_TIMEOUT_MS)],
    ['timezone', 'UTC'],
    ['app.tenant', uuidOrNothing(identity.tenant)],
    ['app."user"', uuidOrNothing(identity.user)],
    ['app.operator', uuidOrNothing(identity.operator)],
  ];
  // SET and not set_config(): a SELECT would take a snapshot, after which the work could not choose its isolation level.
  return `begin; ${settings.map(([key, value]) => `set local ${key} = '${value}'`).join('; ')}`;
}

/** The value goes into the statement's text, so nothing but a UUID may pass. */
function uuidOrNothing(value: string | undefined): string {
  if (value === undefined) return '';
  if (!isUuid(value)) throw new RangeError('an identity is a UUID in canonical form');
  return value;
}

const dialect = new PgDialect();

/** What the work of one transaction may do: statements one after another, none after its end. */
class TransactionSession {
  readonly tx: Tx;
  readonly #client: pg.Client;
  readonly #queryTimeoutMs: number;
  #tail: Promise<unknown> = Promise.resolve();
  #open = true;

  constructor(client: pg.Client, queryTimeoutMs: number) {
    this.#client = client;
    this.#queryTimeoutMs = queryTimeoutMs;
    // Drizzle asks nothing of its client but `query`; a transaction object (not a database) makes its nested transactions savepoints.
    const guarded = {
      query: (config: pg.QueryConfig, params?: unknown[]) => this.#run(config, params),
    } as unknown as pg.Client;
    const orm = new NodePgTransaction<Record<string, never>, Record<string, never>>(
      dialect,
      new NodePgSession(guarded, dialect, undefined),
      undefined,
    );
    this.tx = {
      query: async <Row>(text: string, params: readonly unknown[] = []): Promise<QueryResult<Row>> => {
        const result = await this.#run({ text }, [...params]);
        return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
      },
      orm,
    };
  }

  /** Refuses what has not started and waits for what has. */
  async close(): Promise<void> {
    this.#open = false;
    await this.#tail;
  }

  #run(config: pg.QueryConfig, params: unknown[] | undefined): Promise<pg.QueryResult> {
    const result = this.#tail.then(() => {
      if (!this.#open) throw new Error('the transaction has ended');
      // The extended protocol takes exactly one statement, even without parameters.
      const limited = { ...config, queryMode: 'extended', query_timeout: this.#queryTimeoutMs };
      return this.#client.query(limited, params);
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
