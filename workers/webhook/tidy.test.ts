import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openDatabase } from '../../packages/shared/db/client.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { tidy } from './tidy.ts';

let database: TestDatabase;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  owner = new pg.Client({ connectionString: database.owner });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

const open = () => openDatabase({ connectionString: database.webhook });
const locks = async (): Promise<string[]> =>
  (await owner.query<{ lock_key: string }>('select lock_key from intake_locks order by lock_key')).rows.map(
    (row) => row.lock_key,
  );

it('locks that nobody holds are tidied away, in batches, and one that is held stays', async () => {
  await owner.query(`insert into intake_locks select 'free:' || n from generate_series(1, 5001) n`);
  const [holder, worker] = [open(), open()];
  await holder.transaction(async (tx) => {
    await tx.query(`select intake_lock(array['held:1', 'held:2'])`);
    expect(await tidy(worker)).toEqual({ locks: 5_001 });
  });
  expect(await locks()).toEqual(['held:1', 'held:2']);
  expect(await tidy(worker)).toEqual({ locks: 2 });
  await Promise.all([holder.end(), worker.end()]);
});

it('twenty holders of one lock are never two at once, however often it is tidied away meanwhile', async () => {
  await owner.query('create table turns (n int not null)');
  await owner.query('grant select, update on turns to public');
  await owner.query('insert into turns values (0)');
  const [workers, sweeper] = [Array.from({ length: 20 }, open), open()];
  let isOver = false;
  let tidied = 0;
  const sweep = async (): Promise<void> => {
    while (!isOver) tidied += (await tidy(sweeper)).locks ?? 0;
  };
  const take = async (db: ReturnType<typeof open>): Promise<void> => {
    for (let turn = 0; turn < 25; turn++)
      await db.transaction(async (tx) => {
        await tx.query(`select intake_lock(array['click:1', 'click:2', 'visitor:1'])`);
        const [row] = (await tx.query<{ n: number }>('select n from turns')).rows;
        // What was read under the lock still holds when it is written.
        await tx.query('update turns set n = $1', [(row?.n ?? 0) + 1]);
      });
  };
  const sweeping = sweep();
  await Promise.all(workers.map(take));
  isOver = true;
  await sweeping;
  expect((await owner.query<{ n: number }>('select n from turns')).rows).toEqual([{ n: 500 }]);
  expect(tidied).toBeGreaterThan(10);
  // And nobody waited in a circle, out of which PostgreSQL lets go after a second at the earliest.
  await Promise.all([...workers, sweeper].map((db) => db.end()));
  expect((await owner.query('select deadlocks from pg_stat_database where datname = current_database()')).rows).toEqual(
    [{ deadlocks: '0' }],
  );
});
