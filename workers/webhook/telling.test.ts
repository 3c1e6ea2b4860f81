import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { Database } from '../../packages/shared/db/types.ts';
import { explained, type Touched } from '../../tests/support/explained.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { queueDueWebhooks } from './deliver-sweep.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { stage } from './stage.fake.ts';
import { batchOf, type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await stage(database);
  at = worker(database, on);
});
afterEach(() => on.end());

const listen = (status: 'enabled' | 'disabled' = 'enabled') =>
  on.rows(
    `insert into webhook_endpoints (endpoint_id, tenant_id, url, secret, events, status, created_at, status_at)
     values ($1, $2, 'https://hooks.example/in', '', '{conversion.created}', $3, $4, $4)`,
    [randomUUID(), on.tenantId, status, new Date(on.clock.now())],
  );
const due = () =>
  on.rows(`select 1 from webhook_deliveries where tenant_id = $1 and next_attempt_at <= $2`, [
    on.tenantId,
    new Date(on.clock.now()),
  ]);
async function sold(count: number): Promise<void> {
  const bodies = await Promise.all(
    Array.from({ length: count }, async (_, index) =>
      at.message(on.newClick(randomUUID()), { txn_id: `T${randomUUID()}${index}` }),
    ),
  );
  const { batch, messages } = batchOf('hissaback-postbacks', bodies);
  await consumePostbacks(batch, at.env, at.deps);
  expect(messages.every(({ said }) => said === 'ack')).toBe(true);
}
const told = () => at.sent.filter(({ queue }) => queue === 'hissaback-webhooks').length;

it('a tenant’s server is told of a batch at once', async () => {
  await listen();
  await sold(40);
  expect(told()).toBe(40);
  expect(await due()).toEqual([]);
});

it('what is due to others waits for the sweep while nobody listens to the batch', async () => {
  await listen();
  await on.take(on.event(on.newClick(randomUUID()), { txn_id: 'before' }));
  await on.rows(`update webhook_endpoints set status = 'disabled' where tenant_id = $1`, [on.tenantId]);
  await sold(1);
  expect(told()).toBe(0);
  expect(await due()).toHaveLength(1);
});

it('telling takes one statement, whatever the size of the batch', async () => {
  await listen();
  for (const count of [1, 60]) {
    for (let sale = 0; sale < count; sale++)
      await on.take(on.event(on.newClick(randomUUID()), { txn_id: `S${count}-${sale}` }));
    let statements = 0;
    const counting: Pick<Database, 'transaction' | 'end'> = {
      end: () => on.db.end(),
      transaction: (work, options) =>
        on.db.transaction(
          (tx) =>
            work({
              ...tx,
              query: (text, params) => {
                statements += 1;
                return tx.query(text, params);
              },
            }),
          options,
        ),
    };
    expect(await queueDueWebhooks(counting, at.env, at.deps, 1)).toBe(count);
    expect(statements).toBe(1);
  }
});

it('what telling reads does not grow with what the server was told before', async () => {
  await listen();
  const read = async (): Promise<number> => {
    for (let sale = 0; sale < 5; sale++) await on.take(on.event(on.newClick(randomUUID()), { txn_id: randomUUID() }));
    const touched: Touched[] = [];
    const explaining: Pick<Database, 'transaction' | 'end'> = {
      end: () => on.db.end(),
      transaction: (work, options) => on.db.transaction((tx) => work(explained(tx, touched)), options),
    };
    expect(await queueDueWebhooks(explaining, at.env, at.deps, 1)).toBe(5);
    return touched.reduce((sum, { rows }) => sum + rows, 0);
  };
  const before = await read();
  await on.rows(
    `insert into webhook_deliveries (delivery_id, tenant_id, endpoint_id, event_id, status, next_attempt_at, created_at)
     select gen_random_uuid(), tenant_id, endpoint_id, event_id, 'delivered', created_at, created_at
     from webhook_deliveries, generate_series(1, 600) where tenant_id = $1`,
    [on.tenantId],
  );
  expect(await read()).toBeLessThanOrEqual(before + 20);
});
