import pg from 'pg';
import type { Life } from './life.ts';

type Query = (this: pg.Client, config: unknown, values?: unknown) => Promise<pg.QueryResult>;
type Connect = (this: pg.Client) => Promise<pg.Client>;
type Prototype = { query: Query; connect: Connect };

const prototype = pg.Client.prototype as unknown as Prototype;

/** How the simulation stands between its workers and PostgreSQL. */
export type FaultyPostgres = {
  /** The worker that lives now; its clients are the ones that faults hit. */
  life: Life | null;
  /** True while the server answers nobody. */
  isDown: () => boolean;
  /** Called when a worker's transaction has been committed, before the worker hears of it. */
  committed: (life: Life) => Promise<void>;
  /** Gives every client its own methods back. */
  remove(): void;
};

/**
 * Puts deterministic faults between every pg client of a worker and the server: death between statements, lost connections, serialisation
 * failures and deadlocks, a COMMIT whose answer is lost. `owner` is the simulation's own connection and is left alone.
 */
export function installFaultyPostgres(owner: pg.Client): FaultyPostgres {
  const original: Prototype = { query: prototype.query, connect: prototype.connect };
  const lives = new WeakMap<pg.Client, Life>();
  const faults: FaultyPostgres = {
    life: null,
    isDown: () => false,
    committed: async () => undefined,
    remove: () => {
      prototype.query = original.query;
      prototype.connect = original.connect;
    },
  };

  /** Ends a backend and waits until it is gone, so that its locks are free and its end is no race. */
  const kill = async (client: pg.Client): Promise<void> => {
    const { processID } = client as unknown as { processID: number | null };
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    if (processID === null) return;
    await original.query.call(owner, 'select pg_terminate_backend($1)', [processID]);
    for (;;) {
      const { rowCount } = await original.query.call(owner, 'select 1 from pg_stat_activity where pid = $1', [
        processID,
      ]);
      if (rowCount === 0) break;
    }
    await ended;
  };

  prototype.connect = async function connect(this: pg.Client): Promise<pg.Client> {
    const { life } = faults;
    if (life === null || this === owner) return original.connect.call(this);
    await life.step('before connect');
    if (faults.isDown()) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const client = await original.connect.call(this);
    lives.set(this, life);
    life.clients.add(this);
    this.once('end', () => life.clients.delete(this));
    life.onDeath = async () => {
      for (const one of life.clients) await kill(one);
    };
    await life.step('after connect');
    return client;
  };

  prototype.query = async function query(this: pg.Client, config: unknown, values?: unknown): Promise<pg.QueryResult> {
    const life = lives.get(this);
    if (life === undefined) return original.query.call(this, config, values);
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
      if (statement === 'commit') await original.query.call(this, 'rollback');
      throw Object.assign(new Error(`simulated ${fault}`), { code: fault, severity: 'ERROR' });
    }
    const result = await original.query.call(this, config, values);
    if (statement === 'commit' && result.command === 'COMMIT') await faults.committed(life);
    if (fault === 'lost_at_commit') {
      await kill(this);
      throw connectionLoss();
    }
    await life.step(`after ${labelOf(text)}`);
    return result;
  };

  return faults;
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
