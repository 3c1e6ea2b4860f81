import { parseArgs } from 'node:util';
import { openDatabase } from '../packages/shared/db/client.ts';
import type { Tx } from '../packages/shared/db/types.ts';
import { createTestDatabase, startTestServer } from '../tests/support/postgres.ts';
import type { Taken } from '../workers/webhook/intake-batch.ts';
import { takeEvents } from '../workers/webhook/ledger-consumer.ts';
import { SETTINGS, stage } from '../workers/webhook/stage.fake.ts';

// Conversions a second through the ledger consumer, against plain SQL that writes the very same rows on the same PostgreSQL.

const { values } = parseArgs({
  options: { batches: { type: 'string', default: '60' }, size: { type: 'string', default: '100' } },
});
const BATCHES = Number(values.batches);
const SIZE = Number(values.size);

type Statement = { text: string; params: unknown[] };

/** A transaction that remembers its statements. */
function recorded(tx: Tx, into: Statement[]): Tx {
  return {
    ...tx,
    query: (text, params = []) => {
      into.push({ text, params: [...params] });
      return tx.query(text, params);
    },
  };
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return count / (Number(process.hrtime.bigint() - started) / 1e9);
}

const ROLLBACK = new Error('rolled back on purpose');

const server = await startTestServer();
try {
  const database = await createTestDatabase(server);
  const on = await stage(database);
  const makeBatch = async (name: string): Promise<Taken[]> => {
    const clicks = Array.from({ length: SIZE }, () => on.newClick(crypto.randomUUID()));
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
    return takeEvents(tx, { events, ignored: [] }, { settings: SETTINGS, random: on.random, now: on.clock.now() });
  };
  const db = openDatabase({ connectionString: database.webhook });

  const writes: Statement[] = [];
  let statements = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const events = await makeBatch(`plain-${batch}`);
    const seen: Statement[] = [];
    await db
      .transaction(async (tx) => {
        await take(recorded(tx, seen), events);
        throw ROLLBACK;
      })
      .catch((error: unknown) => {
        if (error !== ROLLBACK) throw error;
      });
    statements = Math.max(statements, seen.length);
    writes.push(...seen.filter(({ text }) => /\binsert into conversions\b/.test(text)));
  }
  const batches: Taken[][] = [];
  for (let batch = 0; batch < BATCHES; batch++) batches.push(await makeBatch(`consumer-${batch}`));
  await on.owner.query('vacuum analyze');

  const half = Math.ceil(BATCHES / 2);
  const plain = async (from: number, to: number): Promise<void> => {
    for (const { text, params } of writes.slice(from, to))
      await db.transaction(async (tx) => {
        await tx.query(text, params);
      });
  };
  const consume = async (from: number, to: number): Promise<void> => {
    for (const events of batches.slice(from, to)) await db.transaction((tx) => take(tx, events));
  };
  // In turns, so that a noisy minute hits both.
  const rates = { plain: [] as number[], consumer: [] as number[] };
  for (const [from, to] of [
    [0, half],
    [half, BATCHES],
  ] as const) {
    const count = (to - from) * SIZE;
    rates.plain.push(await rate(count, () => plain(from, to)));
    rates.consumer.push(await rate(count, () => consume(from, to)));
  }
  await db.end();
  const mean = (list: number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  console.log(
    `ledger consumer        ${mean(rates.consumer).toFixed(0)} conversions/s, ${statements} statements a batch of ${SIZE}`,
  );
  console.log(`the same rows alone    ${mean(rates.plain).toFixed(0)} conversions/s`);
  console.log(`ratio                  ${(mean(rates.consumer) / mean(rates.plain)).toFixed(2)}`);
  await on.end();
  await database.drop();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await server.stop();
}
