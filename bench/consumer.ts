import { openDatabase } from '../packages/shared/db/client.ts';
import type { Database, Tx } from '../packages/shared/db/types.ts';
import { createTestDatabase, startTestServer, type TestDatabase } from '../tests/support/postgres.ts';
import { queueDueWebhooks } from '../workers/webhook/deliver-sweep.ts';
import type { Taken } from '../workers/webhook/intake-batch.ts';
import { takeBatch } from '../workers/webhook/ledger-consumer.ts';
import { SETTINGS, stage } from '../workers/webhook/stage.fake.ts';
import { type Figure, GIVEN_UP_AFTER_MS, type Log, median } from './figures.ts';

const SIZE = 100;
/** Taken before anything is measured: on empty tables PostgreSQL plans, and keeps, what no filled table deserves. */
const WARM_UP = 30;
/** Batches of either kind in one turn. */
const TURN = 10;
const TURNS = 8;

type Statement = { text: string; params: unknown[] };
type Counted = { statements: Statement[]; waits: number };

/** A transaction that remembers its statements, and how often it waited for an answer before it said the next. */
function counted(tx: Tx, into: Counted): Tx {
  let open = 0;
  return {
    ...tx,
    query: async (text, params = []) => {
      into.statements.push({ text, params: [...params] });
      if (open++ === 0) into.waits += 1;
      try {
        return await tx.query(text, params);
      } finally {
        open -= 1;
      }
    },
  };
}

const ROLLBACK = new Error('rolled back on purpose');

/**
 * Conversions a second through the ledger consumer, against plain SQL that writes the very same rows in batches of the same size on the same
 * PostgreSQL. Both in turns, so that a noisy moment hits both; the ratio is the median of the turns'.
 */
export async function benchConsumer(log: Log): Promise<Figure[]> {
  const server = await startTestServer();
  try {
    const database = await createTestDatabase(server);
    try {
      return await measure(database, log);
    } finally {
      await database.drop();
    }
  } finally {
    await server.stop();
  }
}

async function measure(database: TestDatabase, log: Log): Promise<Figure[]> {
  const on = await stage(database);
  try {
    return await measureOn(on, database, log);
  } finally {
    await on.end();
  }
}

async function measureOn(on: Awaited<ReturnType<typeof stage>>, database: TestDatabase, log: Log): Promise<Figure[]> {
  const makeBatch = async (name: string): Promise<Taken[]> => {
    const clicks = Array.from({ length: SIZE }, () => {
      // A millisecond each: of so many in one, two would share an id now and then.
      on.clock.advance(1);
      return on.newClick(crypto.randomUUID());
    });
    // Clicks are there before their sales, as they mostly are.
    await on.owner.query(
      `insert into clicks (click_id, created_at, tenant_id, link_id, visitor_id, country, source)
       select c, id_time(c), $2, $3, v, 'IN', 'edge' from unnest($1::bigint[], $4::uuid[]) as u(c, v)`,
      [clicks.map(({ clickId }) => clickId), on.tenantId, on.linkId, clicks.map(({ visitorId }) => visitorId)],
    );
    return clicks.map((click, index) => on.event(click, { txn_id: `${name}-${index}` }));
  };
  const take = (tx: Tx, events: Taken[]) => {
    on.clock.advance(1);
    return takeBatch(tx, { events, ignored: [] }, { settings: SETTINGS, random: on.random, now: on.clock.now() });
  };
  /** What the consumer says to the database for these events; nothing of it stays. */
  const rehearse = async (db: Database, events: Taken[]): Promise<Counted> => {
    const into: Counted = { statements: [], waits: 0 };
    await db
      .transaction(async (tx) => {
        await take(counted(tx, into), events);
        throw ROLLBACK;
      })
      .catch((error: unknown) => {
        if (error !== ROLLBACK) throw error;
      });
    return into;
  };

  log(`warming up: ${WARM_UP * SIZE} conversions`);
  let db = openDatabase({ connectionString: database.webhook });
  for (let batch = 0; batch < WARM_UP; batch++) {
    const events = await makeBatch(`warm-${batch}`);
    await db.transaction((tx) => take(tx, events));
  }
  await db.end();
  await on.owner.query('vacuum analyze');

  db = openDatabase({ connectionString: database.webhook });
  const counts = { statements: 0, waits: 0 };
  const rates = { plain: [] as number[], consumer: [] as number[] };
  const deadline = performance.now() + GIVEN_UP_AFTER_MS;
  for (let turn = 0; turn < TURNS && performance.now() < deadline; turn++) {
    const writes: Statement[] = [];
    for (let batch = 0; batch < TURN; batch++) {
      const rehearsed = await rehearse(db, await makeBatch(`plain-${turn}-${batch}`));
      counts.statements = Math.max(counts.statements, rehearsed.statements.length);
      counts.waits = Math.max(counts.waits, rehearsed.waits);
      writes.push(...rehearsed.statements.filter(({ text }) => /\binsert into conversions\b/.test(text)));
    }
    const batches: Taken[][] = [];
    for (let batch = 0; batch < TURN; batch++) batches.push(await makeBatch(`consumer-${turn}-${batch}`));
    const plain = async () => {
      for (const { text, params } of writes)
        await db.transaction(async (tx) => {
          await tx.query(text, params);
        });
    };
    const consume = async () => {
      for (const events of batches) await db.transaction((tx) => take(tx, events));
    };
    // Whoever comes second may find warmer caches: each is that in every other turn.
    const order = turn % 2 === 0 ? (['plain', 'consumer'] as const) : (['consumer', 'plain'] as const);
    for (const name of order) rates[name].push(await rate(TURN * SIZE, name === 'plain' ? plain : consume));
    log(`turn ${turn + 1} of ${TURNS}: ${(rates.consumer.at(-1) ?? 0).toFixed(0)} conversions/s`);
  }
  const telling = await measureTelling(on, db, async (name) => {
    const events = await makeBatch(name);
    return () => db.transaction((tx) => take(tx, events));
  });
  await db.end();
  const [{ written = 0 } = {}] = await on.rows<{ written: number }>('select count(*)::int as written from conversions');
  const expected = (WARM_UP + rates.consumer.length * TURN * 2 + telling.batches) * SIZE;
  if (written !== expected) throw new Error(`${written} conversions were written instead of ${expected}`);
  const ratio = median(rates.consumer.map((value, turn) => value / (rates.plain[turn] ?? Number.NaN)));
  return [
    { what: 'ledger consumer, conversions/s', value: median(rates.consumer).toFixed(0) },
    { what: `the same rows by plain SQL in batches of ${SIZE}, conversions/s`, value: median(rates.plain).toFixed(0) },
    { what: 'ratio', value: ratio.toFixed(2), aim: 'at least 0.6' },
    { what: `statements for a batch of ${SIZE}, without BEGIN and COMMIT`, value: String(counts.statements) },
    {
      what: `round trips for a batch of ${SIZE}, with BEGIN and COMMIT`,
      value: String(counts.waits + 2),
      aim: 'at most 6',
    },
    ...telling.figures,
  ];
}

/**
 * What follows the acknowledgement: tenants' servers are told of the batch. Batches without a listener and with one in turns, so that the difference between the
 * two is what the outbox and the telling cost.
 */
async function measureTelling(
  on: Awaited<ReturnType<typeof stage>>,
  db: Database,
  prepare: (name: string) => Promise<() => Promise<{ isListenedTo: boolean }>>,
): Promise<{ figures: Figure[]; batches: number }> {
  const at = new Date(on.clock.now());
  const endpointId = crypto.randomUUID();
  await on.owner.query(
    `insert into webhook_endpoints (endpoint_id, tenant_id, url, secret, events, status, created_at, status_at)
     values ($1, $2, 'https://hooks.example/in', '', '{conversion.created}', 'enabled', $3, $3)`,
    [endpointId, on.tenantId, at],
  );
  // As above: nothing is measured on tables that were empty when they were planned for.
  for (let batch = 0; batch < TURN; batch++) await (await prepare(`telling-warm-${batch}`))();
  await on.owner.query(`update webhook_deliveries set status = 'delivered'`);
  await on.owner.query('vacuum analyze');
  let queued = 0;
  const sendBatch = async (batch: Iterable<unknown>): Promise<void> => {
    queued += [...batch].length;
  };
  const env = { WEBHOOKS: { sendBatch } };
  const rates = { alone: [] as number[], heard: [] as number[] };
  const said: Record<'alone' | 'heard', Counted> = {
    alone: { statements: [], waits: 0 },
    heard: { statements: [], waits: 0 },
  };
  for (let turn = 0; turn < TURNS; turn++)
    for (const name of turn % 2 === 0 ? (['alone', 'heard'] as const) : (['heard', 'alone'] as const)) {
      await on.owner.query('update webhook_endpoints set status = $2 where endpoint_id = $1', [
        endpointId,
        name === 'heard' ? 'enabled' : 'disabled',
      ]);
      const batches: (() => Promise<{ isListenedTo: boolean }>)[] = [];
      for (let batch = 0; batch < TURN; batch++) batches.push(await prepare(`telling-${name}-${turn}-${batch}`));
      const tell = async (take: () => Promise<{ isListenedTo: boolean }>) => {
        const { isListenedTo } = await take();
        const into: Counted = { statements: [], waits: 0 };
        const noted: Pick<Database, 'transaction' | 'end'> = {
          end: () => db.end(),
          transaction: async (work, options) => {
            into.waits += 2;
            return db.transaction((tx) => work(counted(tx, into)), options);
          },
        };
        if (isListenedTo)
          await queueDueWebhooks(noted, env as unknown as Pick<WebhookEnv, 'WEBHOOKS'>, { clock: on.clock }, 1);
        if (into.waits >= said[name].waits) said[name] = into;
      };
      rates[name].push(
        await rate(TURN * SIZE, async () => {
          for (const take of batches) await tell(take);
        }),
      );
    }
  if (queued !== TURNS * TURN * SIZE)
    throw new Error(`${queued} deliveries were queued instead of ${TURNS * TURN * SIZE}`);
  const trips = (name: 'alone' | 'heard') => `${said[name].statements.length}, ${said[name].waits}`;
  const ratio = median(rates.heard.map((value, turn) => value / (rates.alone[turn] ?? Number.NaN)));
  return {
    batches: TURN + 2 * TURNS * TURN,
    figures: [
      { what: 'telling after a batch nobody listens to: statements, round trips', value: trips('alone'), aim: 'none' },
      { what: `telling of ${SIZE} conversions: statements, round trips`, value: trips('heard'), aim: 'constant' },
      { what: 'ledger consumer and telling one server, conversions/s', value: median(rates.heard).toFixed(0) },
      { what: 'as a share of a tenant that has no server', value: ratio.toFixed(2) },
    ],
  };
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (count / (performance.now() - started)) * 1_000;
}
