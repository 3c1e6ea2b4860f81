import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../packages/shared/db/migrate.ts';
import { databaseUrls, setRolePasswords } from '../../scripts/stack/database.ts';
import { type Postgres, startPostgres, stopLeftOver } from '../../scripts/stack/postgres.ts';
import { MIGRATIONS } from '../../tests/support/postgres.ts';
import { createApp } from './app.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { stage } from './stage.fake.ts';
import { batchOf, worker } from './worker.fake.ts';

// A server of its own, which is killed.
const dir = mkdtempSync(join(tmpdir(), 'hissaback-killed-'));
let port: number;
let server: Postgres;
const password = randomBytes(12).toString('hex');
const start = (): Promise<Postgres> =>
  startPostgres({ dir: join(dir, 'data'), port, user: 'postgres', password, database: 'hissaback' });
beforeAll(async () => {
  chmodSync(dir, 0o755);
  port = await freePort();
  server = await start();
  await migrate(server.url, MIGRATIONS);
  await setRolePasswords(server.url);
}, 90_000);
afterAll(async () => {
  await server.stop();
  rmSync(realpathSync(join(dir, 'data')), { recursive: true, force: true });
  rmSync(dir, { recursive: true, force: true });
});

const DOWN_MS = 10_000;
const BATCH = 20;
const TOGETHER = 3;

describe('fault 43: PostgreSQL is killed under load and back after ten seconds', () => {
  it('every postback is answered 200 and none is lost; what waits drains', async () => {
    const urls = databaseUrls(server.url);
    const database = { ...urls, name: 'hissaback', drop: async () => undefined };
    let on = await stage(database);
    on.owner.on('error', () => undefined);
    const at = worker(database, on);
    const app = createApp(at.deps);
    const visitors = await Promise.all(Array.from({ length: 20 }, async () => on.newVisitor(await on.newUser())));
    const clicks = await Promise.all(visitors.map((visitor) => at.referenceOf(on.newClick(visitor))));
    const answers: number[] = [];
    let isOver = false;
    const load = async (): Promise<void> => {
      for (let index = 0; !isOver; index++) {
        on.clock.advance(1);
        const click = clicks[index % clicks.length] ?? '';
        const url = `https://hissaback.test/v1/events/conversion?token=token-1&click_id=${click}&offer_id=${on.offerId}&sale_amount=1000&status=approved&txn_id=K${index % 60}`;
        answers.push((await app.request(url, { headers: { 'cf-connecting-ip': '203.0.113.7' } }, at.env)).status);
        await pause(25);
      }
    };
    /** A consumer as the queue runs it: what is not acknowledged comes again. */
    const consume = async (): Promise<void> => {
      while (!isOver || at.sent.length > 0) {
        const bodies = at.sent.splice(0, BATCH).map(({ body }) => body);
        if (bodies.length === 0) {
          await pause(10);
          continue;
        }
        const { batch, messages } = batchOf('hissaback-postbacks', bodies);
        await consumePostbacks(batch, at.env, at.deps);
        const left = messages.filter(({ said }) => said !== 'ack');
        for (const { body } of left) at.sent.push({ queue: 'hissaback-postbacks', body });
        if (left.length > 0) await pause(200);
      }
    };
    const running = [load(), ...Array.from({ length: TOGETHER }, consume)];
    await until(() => answers.length > 40);
    process.kill(-server.pid, 'SIGKILL');
    await server.ended;
    const before = answers.length;
    await pause(DOWN_MS);
    expect(answers.length - before, 'postbacks taken while PostgreSQL is down').toBeGreaterThan(50);
    await stopLeftOver(join(dir, 'data'));
    server = await start();
    await until(() => answers.length > before + 100);
    isOver = true;
    await Promise.all(running);
    const asked = new pg.Client({ connectionString: server.url });
    await asked.connect();
    on = { ...on, owner: asked };
    expect(new Set(answers)).toEqual(new Set([200]));
    const { rows } = await asked.query<{ count: number; credited: number }>(
      `select count(*)::int as count, count(*) filter (where outcome = 'credited')::int as credited from postbacks`,
    );
    expect(rows).toEqual([{ count: answers.length, credited: 60 }]);
    expect((await asked.query('select 1 from ledger')).rowCount).toBe(60);
    expect(await on.breaches()).toEqual([]);
    await asked.end();
  }, 120_000);
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !holds(); await pause(20))
    if (Date.now() > deadline) throw new Error('it did not happen within a minute');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
