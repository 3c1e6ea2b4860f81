import pg from 'pg';
import type { Life } from './life.ts';

type Query = (this: pg.Client, config: unknown, values?: unknown) => Promise<pg.QueryResult>;
type Connect = (this: pg.Client) => Promise<pg.Client>;
type End = (this: pg.Client) => Promise<void>;
type Methods = { query: Query; connect: Connect; end: End };
/** What pg keeps of a client's configuration, and the server's number for its session. */
type Inside = {
  connectionParameters: pg.ClientConfig & { user: string };
  _types: pg.CustomTypesConfig;
  processID: number;
};

const prototype = pg.Client.prototype as unknown as Methods;

/** How the simulation stands between its workers and PostgreSQL. */
export type FaultyPostgres = {
  /** The worker that lives now; its clients are the ones that faults hit. */
  life: Life | null;
  /** True while the server answers nobody. */
  isDown: () => boolean;
  /** Called when a worker's transaction has been committed, before the worker hears of it; `written` is the text of its statements that did anything. */
  committed: (life: Life, written: string) => Promise<void>;
  /** What `committed` threw: it is the simulation's, no worker may handle it. */
  thrown: unknown;
  /** Ends the pooled sessions and gives every client its own methods back. */
  remove(): Promise<void>;
};

/** A worker's client: whose it is, and the session behind it, as a pooler lends one. */
type Lent = { readonly life: Life; readonly session: pg.Client; isIdle: boolean; written: string };

/**
 * Puts deterministic faults between every pg client of a worker and the server: death between statements, lost connections, serialisation
 * failures and deadlocks, a COMMIT whose answer is lost. Sessions are pooled, as Hyperdrive does. `owner` is the simulation's own
 * connection; a client of no worker is left alone.
 */
export function installFaultyPostgres(owner: pg.Client): FaultyPostgres {
  const original: Methods = { query: prototype.query, connect: prototype.connect, end: prototype.end };
  const lent = new WeakMap<pg.Client, Lent>();
  const pool = new Map<string, pg.Client[]>();
  const idleOf = (client: pg.Client): pg.Client[] => {
    const { user } = (client as unknown as Inside).connectionParameters;
    const known = pool.get(user) ?? [];
    pool.set(user, known);
    return known;
  };

  /** Ends a session and waits until it is gone, so that its locks are free and its end is no race. */
  const kill = async (client: pg.Client): Promise<void> => {
    const loan = lent.get(client);
    if (loan === undefined) return;
    lent.delete(client);
    loan.life.clients.delete(client);
    const { processID } = loan.session as unknown as Inside;
    const ended = new Promise<void>((resolve) => loan.session.once('end', () => resolve()));
    await owner.query('select pg_terminate_backend($1)', [processID]);
    while ((await owner.query('select 1 from pg_stat_activity where pid = $1', [processID])).rowCount !== 0);
    await ended;
    client.emit('end');
  };

  prototype.connect = async function connect(this: pg.Client): Promise<pg.Client> {
    const { life } = faults;
    if (life === null) return original.connect.call(this);
    await life.step('before connect');
    if (faults.isDown()) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const session = idleOf(this).pop() ?? (await newSession(this, original.connect));
    lent.set(this, { life, session, isIdle: true, written: '' });
    life.clients.add(this);
    life.onDeath = async () => {
      for (const client of life.clients) await kill(client);
    };
    await life.step('after connect');
    return this;
  };

  prototype.end = async function end(this: pg.Client): Promise<void> {
    const loan = lent.get(this);
    if (loan === undefined) return isWorkers(this) ? undefined : original.end.call(this);
    if (!loan.isIdle) return kill(this);
    lent.delete(this);
    loan.life.clients.delete(this);
    idleOf(this).push(loan.session);
    this.emit('end');
  };

  prototype.query = async function query(this: pg.Client, config: unknown, values?: unknown): Promise<pg.QueryResult> {
    const loan = lent.get(this);
    if (loan === undefined) {
      if (isWorkers(this)) throw connectionLoss();
      return original.query.call(this, config, values);
    }
    const { life, session } = loan;
    const text = typeof config === 'string' ? config : (config as { text: string }).text;
    const statement = kindOf(text);
    await life.step(`before ${labelOf(text)}`);
    const fault = faults.isDown() ? 'lost' : life.faultOf(statement);
    if (fault === 'lost' || fault === 'lost_before_commit') {
      await kill(this);
      throw connectionLoss();
    }
    if (fault === '40001' || fault === '40P01') {
      // A transaction that fails at COMMIT is rolled back by the server.
      if (statement === 'commit') await original.query.call(session, 'rollback');
      throw Object.assign(new Error(`simulated ${fault}`), { code: fault, severity: 'ERROR' });
    }
    loan.isIdle = false;
    const result = await original.query.call(session, config, values);
    loan.isIdle = statement === 'commit' || statement === 'rollback';
    if (statement === 'begin') loan.written = '';
    else if (statement === 'other' && mayHaveWritten(text, result)) loan.written += text;
    if (statement === 'commit' && result.command === 'COMMIT') await tellCommitted(faults, life, loan.written);
    if (fault === 'lost_at_commit') {
      await kill(this);
      throw connectionLoss();
    }
    await life.step(`after ${labelOf(text)}`);
    return result;
  };

  const faults: FaultyPostgres = {
    life: null,
    isDown: () => false,
    committed: async () => undefined,
    thrown: undefined,
    remove: async () => {
      Object.assign(prototype, original);
      for (const session of [...pool.values()].flat()) await session.end();
    },
  };
  return faults;
}

async function tellCommitted(faults: FaultyPostgres, life: Life, written: string): Promise<void> {
  try {
    await faults.committed(life, written);
  } catch (error) {
    faults.thrown ??= error;
  }
}

/** A session of its own for the role of `client`. */
async function newSession(client: pg.Client, connect: Connect): Promise<pg.Client> {
  const { connectionParameters, _types } = client as unknown as Inside;
  const { user, password, host, port, database } = connectionParameters;
  const session = new pg.Client({ ...definedOf({ user, password, host, port, database }), ssl: false, types: _types });
  session.on('error', () => undefined);
  await connect.call(session);
  return session;
}

function definedOf(config: Readonly<Record<string, unknown>>): pg.ClientConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

/** True for a client that a worker opened, whether it still has a session or not. */
function isWorkers(client: pg.Client): boolean {
  return (
    /^hissaback_/.test((client as unknown as Inside).connectionParameters.user) &&
    !(client as unknown as Inside).processID
  );
}

/** A statement of several parts says only of its last how many rows there were. */
function mayHaveWritten(text: string, result: pg.QueryResult): boolean {
  return result.rowCount !== 0 || /^\s*with\b/.test(text);
}

function kindOf(text: string): 'begin' | 'commit' | 'rollback' | 'other' {
  if (text === 'commit' || text === 'rollback') return text;
  return text.startsWith('begin;') ? 'begin' : 'other';
}

function labelOf(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').slice(0, 60);
}

function connectionLoss(): Error {
  return new Error('Connection terminated unexpectedly');
}
