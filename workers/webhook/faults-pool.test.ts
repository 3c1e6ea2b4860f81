import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../packages/shared/db/migrate.ts';
import { setRolePasswords } from '../../scripts/stack/database.ts';
import {
  createTestDatabase,
  inDatabase,
  MIGRATIONS,
  onServer,
  startThrowAway,
  type TestDatabase,
} from '../../tests/support/postgres.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { stage } from './stage.fake.ts';
import { batchOf, worker } from './worker.fake.ts';

// A server of its own: hundreds of connections would take those of the other tests.
let server: Awaited<ReturnType<typeof startThrowAway>>;
let database: TestDatabase;
beforeAll(async () => {
  server = await startThrowAway();
  const template = 'hb_template';
  await onServer(server.url, (client) => client.query(`create database ${template}`));
  await migrate(inDatabase(server.url, template), MIGRATIONS);
  await setRolePasswords(inDatabase(server.url, template));
  database = await createTestDatabase({ adminUrl: server.url, key: new URL(server.url).password, template });
});
afterAll(() => server.stop());

const POOL = 8;
/** About what the delays of their retries leave at the same moment. */
const AT_ONCE_LATER = 10;

describe('fault 39: 250 consumers at once and a pool of eight connections', () => {
  it('are retried with a delay, and nothing is dropped', async () => {
    const on = await stage(database);
    const at = worker(database, on);
    const visitor = await on.newVisitor(await on.newUser());
    let left: unknown[] = await Promise.all(
      Array.from({ length: 250 }, (_, index) => at.message(on.newClick(visitor), { txn_id: `M${index}` })),
    );
    await on.rows(`alter database ${database.name} connection limit ${POOL}`);
    for (let round = 1; left.length > 0; round++) {
      expect(round, 'rounds of deliveries').toBeLessThan(200);
      const now = round === 1 ? left : left.slice(0, AT_ONCE_LATER);
      const batches = now.map((body) => batchOf('hissaback-postbacks', [body], round));
      await Promise.all(batches.map(({ batch }) => consumePostbacks(batch, at.env, at.deps)));
      const sent = batches.flatMap(({ messages }) => messages);
      expect(sent.every(({ said }) => said !== 'nothing')).toBe(true);
      const again = sent.filter(({ said }) => said === 'retry').map(({ body }) => body);
      if (round === 1) expect(again.length).toBeGreaterThan(100);
      left = [...left.slice(now.length), ...again];
    }
    await on.rows(`alter database ${database.name} connection limit -1`);
    expect(await on.ledger()).toHaveLength(250);
    expect(await on.breaches()).toEqual([]);
    await on.end();
  }, 90_000);
});
