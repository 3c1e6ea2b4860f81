import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Database } from '../../packages/shared/db/types.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { Backlog, MOST_AHEAD } from './backlog.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { stage } from './stage.fake.ts';
import { batchOf, type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  on = await stage(database);
  at = worker(database, on);
});
afterAll(async () => {
  await on.end();
  await database.drop();
});

/** The ids of `count` messages that are in the queue. */
async function waiting(count: number) {
  const messages = await Promise.all(Array.from({ length: count }, () => at.message(null)));
  return messages.map((body) => ({ body, id: 'postback_id' in body ? BigInt(body.postback_id) : 0n }));
}

it('whoever fills the queue waits at 20,000 rows until the oldest of them are in the books', async () => {
  const [first, second, third] = await waiting(3);
  let asleep = 0;
  const sleep = async (): Promise<void> => {
    asleep += 1;
    // The consumer comes to the first batch while others wait.
    if (asleep === 3) await consumePostbacks(batchOf('hissaback-postbacks', [first?.body]).batch, at.env, at.deps);
  };
  const backlog = new Backlog(on.db, { sleep });
  await backlog.sent({ lastId: first?.id ?? 0n, count: 500 });
  await backlog.sent({ lastId: second?.id ?? 0n, count: MOST_AHEAD - 500 });
  expect(asleep).toBe(0);
  await backlog.sent({ lastId: third?.id ?? 0n, count: 500 });
  expect(asleep).toBe(3);
});

it('a message that is tried again later holds it up for a minute, and no longer', async () => {
  let questions = 0;
  const db: Pick<Database, 'transaction'> = {
    transaction: (work) => {
      questions += 1;
      return on.db.transaction(work);
    },
  };
  let asleep = 0;
  const backlog = new Backlog(db as Database, {
    sleep: async (ms) => {
      asleep += ms;
    },
  });
  const [first, second] = await waiting(2);
  await backlog.sent({ lastId: first?.id ?? 0n, count: MOST_AHEAD });
  await backlog.sent({ lastId: second?.id ?? 0n, count: 1 });
  expect(asleep).toBe(60_000);
  expect(questions).toBe(60);
  await backlog.sent({ lastId: second?.id ?? 0n, count: MOST_AHEAD - 1 });
  expect(asleep).toBe(60_000);
});
