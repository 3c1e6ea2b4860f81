import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { askVelocity } from './ask-velocity.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { stage } from './stage.fake.ts';
import { batchOf, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  on = await stage(database);
});
afterAll(async () => {
  await on.end();
  await database.drop();
});

const PATIENCE_MS = 500;
const never = () => new Promise<number[]>(() => undefined);
/** Velocity objects that answer by the shard they are. */
function objects(record: (shard: string) => Promise<number[]>): WebhookEnv {
  const asked = { idFromName: (name: string) => name, get: (shard: string) => ({ record: () => record(shard) }) };
  return { ...worker(database, on).env, VELOCITY: asked } as unknown as WebhookEnv;
}
const visitorOf = (digit: string) => `${digit}${randomUUID().slice(1)}`;
const timed = async <T>(work: Promise<T>): Promise<[T, number]> => {
  const begun = performance.now();
  return [await work, performance.now() - begun];
};

describe('the question how often a shopper has bought', () => {
  it('is waited for half a second at most, and those who answer by then are heard', async () => {
    const [slow, quick] = [on.event(on.newClick(visitorOf('a'))), on.event(on.newClick(visitorOf('b')))];
    const env = objects(async (shard) => (shard === 'shoppers:a' ? never() : [4]));
    const [answers, took] = await timed(askVelocity([slow, quick], env));
    expect([...answers]).toEqual([[quick.postbackId, 4]]);
    expect(took).toBeGreaterThanOrEqual(PATIENCE_MS - 5);
    expect(took).toBeLessThan(PATIENCE_MS + 400);
  });

  it('holds nothing up where all have answered or failed', async () => {
    const events = [on.event(on.newClick(visitorOf('a'))), on.event(on.newClick(visitorOf('b')))];
    const env = objects(async (shard) => {
      if (shard === 'shoppers:a') throw new Error('the object was moved');
      return [2];
    });
    const [answers, took] = await timed(askVelocity(events, env));
    expect([...answers.values()]).toEqual([2]);
    expect(took).toBeLessThan(PATIENCE_MS / 2);
  });

  it('without an answer is no answer: the sale is in the books, and the recount in SQL decides', async () => {
    const env = objects(never);
    const { message } = worker(database, on);
    const visitor = await on.newVisitor(await on.newUser());
    const sale = async (order: string) => message(await on.storedClick(visitor), { txn_id: order });
    const bodies = await Promise.all(['V1', 'V2', 'V3', 'V4', 'V5'].map(sale));
    const { batch, messages } = batchOf('hissaback-postbacks', bodies);
    const [, took] = await timed(consumePostbacks(batch, env, worker(database, on).deps));
    expect(messages.map(({ said }) => said)).toEqual(['ack', 'ack', 'ack', 'ack', 'ack']);
    expect(took).toBeLessThan(5_000);
    const rows = await on.rows<{ status: string; asked: unknown; counted: number }>(
      `select l.status, c.fraud_inputs -> 'velocityAsked' as asked, (c.fraud_inputs ->> 'conversionsInWindow')::int as counted
       from conversions c join ledger l on l.conv_id = c.conv_id and l.tenant_id = c.tenant_id where c.tenant_id = $1 order by c.conv_id`,
      [on.tenantId],
    );
    expect(rows.map(({ status }) => status).toSorted()).toEqual(['pending', 'pending', 'pending', 'pending', 'review']);
    expect(rows.map(({ counted }) => counted).toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(rows.every(({ asked }) => asked === null)).toBe(true);
  });
});
