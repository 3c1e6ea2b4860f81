import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { requestReplay } from '../../packages/shared/db/queries/dead-letters.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { consumeDeadLetters } from './dead-letters-queue.ts';
import { rematch } from './rematch.ts';
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
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.rows('update dead_letters set resolved_at = now() where resolved_at is null');
  await on.rows(`delete from schedule_runs where name like 'incident:%'`);
  await on.end();
});

const POSTBACKS = 'hissaback-postbacks-dlq';
const unresolved = async (): Promise<number> =>
  Number(
    (await on.rows<{ count: string }>('select count(*) from dead_letters where resolved_at is null'))[0]?.count ?? '0',
  );
/** As the command does: by SQL, as the owner. */
const askForReplay = (filter: Parameters<typeof requestReplay>[1]): Promise<number> =>
  on.db.transaction((tx) => requestReplay(tx, filter, on.clock.now()));

describe('a dead letter (money rule 18, fault 9)', () => {
  it('is kept with its queue, its reason and how often it was tried, and only then acknowledged', async () => {
    const { batch, messages } = batchOf(POSTBACKS, [
      await at.message(await on.storedClick(null)),
      { nonsense: 'a\u0000b', lone: '\ud800' },
    ]);
    await consumeDeadLetters(batch, at.env, at.deps);
    expect(messages.map(({ said }) => said)).toEqual(['ack', 'ack']);
    expect(
      await on.rows(
        'select queue, reason, attempts, body from dead_letters where message_id = any($1) order by array_position($1, message_id)',
        [messages.map(({ id }) => id)],
      ),
    ).toEqual([
      {
        queue: 'hissaback-postbacks',
        reason: 'retries_exhausted',
        attempts: 101,
        body: messages[0]?.body,
      },
      {
        queue: 'hissaback-postbacks',
        reason: 'unreadable_message',
        attempts: 101,
        body: { nonsense: 'a\ufffdb', lone: '\ufffd' },
      },
    ]);
  });

  it('of the queue of tenants’ webhooks is kept as what it is, and goes back to that queue', async () => {
    const message = { delivery_id: crypto.randomUUID(), attempts: 2 };
    const { batch } = batchOf('hissaback-webhooks-dlq', [message, { delivery_id: 1 }]);
    await consumeDeadLetters(batch, at.env, at.deps);
    expect(
      await on.rows('select queue, reason, attempts from dead_letters where resolved_at is null order by reason'),
    ).toEqual([
      { queue: 'hissaback-webhooks', reason: 'retries_exhausted', attempts: 11 },
      { queue: 'hissaback-webhooks', reason: 'unreadable_message', attempts: 11 },
    ]);
    expect(await askForReplay({ queue: 'hissaback-webhooks' })).toBe(2);
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ replayed: 2, more: 0 });
    expect(at.sent).toContainEqual({ queue: 'hissaback-webhooks', body: message });
    expect(await unresolved()).toBe(0);
  });

  it('that is delivered twice is one row', async () => {
    const { batch } = batchOf(POSTBACKS, [await at.message(null)]);
    const before = await unresolved();
    await consumeDeadLetters(batch, at.env, at.deps);
    await consumeDeadLetters(batch, at.env, at.deps);
    expect(await unresolved()).toBe(before + 1);
  });

  it('goes to R2 while PostgreSQL is down, operators are called once, and comes home when it is back', async () => {
    const before = await unresolved();
    const down = { ...at.env, DB: { connectionString: 'postgres://nobody@127.0.0.1:1/none' } } as WebhookEnv;
    const first = batchOf(POSTBACKS, [await at.message(null), await at.message(null)]);
    const second = batchOf('hissaback-clicks-dlq', [{ click: 'unreadable' }]);
    for (const { batch } of [first, second]) await consumeDeadLetters(batch, down, at.deps);
    expect([...first.messages, ...second.messages].map(({ said }) => said)).toEqual(['ack', 'ack', 'ack']);
    expect([...at.objects.keys()].filter((key) => key.startsWith('dead-letters/'))).toHaveLength(3);
    expect(at.pages.map(({ action, key }) => `${action} ${key}`)).toEqual(['trigger dead-letters-in-r2']);

    at.objects.set('dead-letters/hissaback-postbacks/broken.json', '{');
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ dead_letters: 3 });
    expect(await unresolved()).toBe(before + 3);
    expect([...at.objects.keys()]).toEqual(['dead-letters/hissaback-postbacks/broken.json']);
    expect(at.pages.map(({ action }) => action)).toEqual(['trigger', 'resolve']);
  });

  it('is not acknowledged while neither PostgreSQL nor R2 takes it', async () => {
    const down = { ...at.env, DB: { connectionString: 'postgres://nobody@127.0.0.1:1/none' } } as WebhookEnv;
    at.failing.bucket = 1;
    const { batch, messages } = batchOf(POSTBACKS, [await at.message(null), await at.message(null)]);
    await consumeDeadLetters(batch, down, at.deps);
    expect(messages.map(({ said }) => said)).toEqual(['retry', 'ack']);
  });
});

describe('a replay', () => {
  it('sends one, those of a queue, those before a time, or all, each back to its own queue, and resolves them', async () => {
    const old = batchOf(POSTBACKS, [await at.message(null)]);
    await consumeDeadLetters(old.batch, at.env, at.deps);
    on.clock.advance(60_000);
    const border = on.clock.now();
    await consumeDeadLetters(batchOf(POSTBACKS, [await at.message(null)]).batch, at.env, at.deps);
    const click = { v: 1, click_id: '1' };
    await consumeDeadLetters(batchOf('hissaback-clicks-dlq', [click]).batch, at.env, at.deps);
    expect(await unresolved()).toBe(3);

    expect(await askForReplay({ before: border })).toBe(1);
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ replayed: 1, more: 0 });
    expect(at.sent.map(({ body }) => body)).toEqual(old.messages.map(({ body }) => body));
    expect(await askForReplay({ queue: 'hissaback-clicks' })).toBe(1);
    await rematch(on.db, at.env, at.deps);
    expect(at.sent.at(-1)).toEqual({ queue: 'hissaback-clicks', body: click });
    const [left] = await on.rows<{ dead_letter_id: string }>(
      'select dead_letter_id from dead_letters where resolved_at is null',
    );
    expect(await askForReplay({ id: left?.dead_letter_id ?? '' })).toBe(1);
    await rematch(on.db, at.env, at.deps);
    expect(await unresolved()).toBe(0);
    expect(at.sent).toHaveLength(3);
  });

  it('that is sent and whose mark is lost sends again, and is taken once (fault 33)', async () => {
    const letter = await at.message(await on.storedClick(null), { txn_id: 'A1' });
    await consumeDeadLetters(batchOf(POSTBACKS, [letter]).batch, at.env, at.deps);
    await askForReplay({});
    // PostgreSQL goes away behind the sending: the transaction with the mark is lost.
    const lost = {
      ...at.env,
      POSTBACKS: {
        sendBatch: async (messages: { body: unknown }[]) => {
          await at.env.POSTBACKS.sendBatch(messages);
          await on.rows(
            `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'hissaback_ingest' and state = 'idle in transaction'`,
          );
        },
      },
    } as unknown as WebhookEnv;
    await expect(rematch(on.db, lost, at.deps)).rejects.toThrow();
    expect(await unresolved()).toBe(1);
    await rematch(on.db, at.env, at.deps);
    expect(at.sent.filter(({ body }) => (body as typeof letter).kind === 'event')).toHaveLength(2);
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
    expect(await unresolved()).toBe(0);
  });

  it('of ten thousand pages operators once above a thousand, drains without doubles, and ends the call (fault 45)', async () => {
    const events = await Promise.all(
      Array.from({ length: 250 }, async (_, index) => at.message(on.newClick(null), { txn_id: `N${index}` })),
    );
    for (let letters = 0; letters < 10_000; letters += 100) {
      const bodies = Array.from({ length: 100 }, (_, index) => events[(letters + index) % events.length]);
      await consumeDeadLetters(batchOf(POSTBACKS, bodies).batch, at.env, at.deps);
    }
    expect(await unresolved()).toBe(10_000);
    expect(at.pages.map(({ action, key }) => `${action} ${key}`)).toEqual(['trigger dead-letters']);

    expect(await askForReplay({})).toBe(10_000);
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ replayed: 5_000, more: 1 });
    expect(await rematch(on.db, at.env, at.deps)).toMatchObject({ replayed: 5_000 });
    expect(await unresolved()).toBe(0);
    expect(at.pages.map(({ action }) => action)).toEqual(['trigger', 'resolve']);
    expect(at.sent).toHaveLength(10_000);
    // Forty copies of each: a fifth of the queue will do to see that copies do nothing.
    at.sent.splice(2_000);
    await at.drain();
    expect(await on.ledger()).toHaveLength(250);
  });

  it('pages again when the pager did not take the first call, but only after a minute', async () => {
    await on.rows(
      `insert into dead_letters (dead_letter_id, queue, message_id, body, reason, attempts, created_at)
       select gen_random_uuid(), 'hissaback-postbacks', 'bulk-' || $1 || '-' || n, '{}', 'retries_exhausted', 101, now() from generate_series(1, 1001) n`,
      [on.offerId],
    );
    at.failing.pager = 1;
    await rematch(on.db, at.env, at.deps);
    await rematch(on.db, at.env, at.deps);
    expect(at.pages).toEqual([]);
    on.clock.advance(61_000);
    await rematch(on.db, at.env, at.deps);
    await rematch(on.db, at.env, at.deps);
    expect(at.pages.map(({ action }) => action)).toEqual(['trigger']);
  });
});
