import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../packages/shared/db/client.ts';
import { rewardsOfUser } from '../../packages/shared/db/queries/rewards.ts';
import { withUser } from '../../packages/shared/db/tenancy.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../../tests/support/tcp-proxy.ts';
import { createApp } from './app.ts';
import { consumeClicks } from './clicks-queue.ts';
import type { IntakeCounts } from './intake-batch.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { type Click, stage } from './stage.fake.ts';
import { batchOf, type FakeMessage, type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  proxy = await startTcpProxy(database.webhook);
});
afterAll(async () => {
  await proxy.close();
  await database.drop();
});
beforeEach(async () => {
  on = await stage(database);
  at = worker(database, on);
});
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.end();
});

const DAY = 86_400_000;
const QUEUE = 'hissaback-postbacks';
const behindProxy = () => ({ ...at.env, DB: { connectionString: proxy.through(database.webhook) } }) as WebhookEnv;

async function messages(count: number, say: (index: number) => Record<string, string> = () => ({})) {
  const visitor = await on.newVisitor(await on.newUser());
  return Promise.all(
    Array.from({ length: count }, async (_, index) =>
      at.message(on.newClick(visitor), { txn_id: `M${index}`, ...say(index) }),
    ),
  );
}
/** Delivers messages until all are acknowledged, as the queue would. */
async function deliver(bodies: readonly unknown[], env: WebhookEnv = at.env): Promise<number> {
  let left: unknown[] = [...bodies];
  for (let round = 1; round <= 50; round++) {
    const { batch, messages: sent } = batchOf(QUEUE, left, round);
    await consumePostbacks(batch, env, at.deps);
    left = sent.filter(({ said }) => said !== 'ack').map(({ body }) => body);
    if (left.length === 0) return round;
  }
  throw new Error(`${left.length} messages were never acknowledged`);
}
const words = (sent: readonly FakeMessage[]) => sent.map(({ said }) => said);

/** A postback of the network about a click of its own; every call sends it once more. */
async function sender(env: WebhookEnv = at.env): Promise<() => Promise<Response>> {
  const app = createApp(at.deps);
  const click = await at.referenceOf(await on.storedClick(await on.newVisitor(await on.newUser())));
  const url = `https://hissaback.test/v1/events/conversion?token=token-1&click_id=${click}&offer_id=${on.offerId}&sale_amount=1000&status=approved&txn_id=S1`;
  return async () => app.request(url, { headers: { 'cf-connecting-ip': '203.0.113.7' } }, env);
}
const outcomes = async (): Promise<string[]> =>
  (
    await on.rows<{ outcome: string }>('select outcome from postbacks where tenant_id = $1 order by outcome', [
      on.tenantId,
    ])
  ).map(({ outcome }) => outcome);

describe('fault 1: the same postback twice, one after the other', () => {
  it('is answered 200 twice, and is one conversion with one credit', async () => {
    const send = await sender();
    const answers = [await send(), await send()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await at.drain();
    expect((await send()).status).toBe(200);
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
    expect(await on.balance('shopper:pending:%')).toBe('50.00');
    expect(await outcomes()).toEqual(['credited', 'replayed', 'replayed']);
  });
});

describe('fault 2: fifty copies of one postback at once, in two isolates', () => {
  it('are one credit and 49 replays: the others wait for the first, and nobody stands in anybody’s way for good', async () => {
    const isolates = [worker(database, on), worker(database, on)];
    const click = await on.storedClick(await on.newVisitor(await on.newUser()));
    const deadlocks = async () =>
      (
        await on.rows<{ deadlocks: string }>(
          'select deadlocks from pg_stat_database where datname = current_database()',
        )
      )[0]?.deadlocks;
    const before = await deadlocks();
    const copies = await Promise.all(Array.from({ length: 50 }, () => at.message(click, { txn_id: 'A1' })));
    await Promise.all(
      copies.map(async (copy, index) => {
        const { env, deps } = isolates[index % 2] ?? at;
        for (let attempt = 1; ; attempt++) {
          const { batch, messages: sent } = batchOf(QUEUE, [copy], attempt);
          await consumePostbacks(batch, env, deps);
          if (words(sent)[0] === 'ack') return;
        }
      }),
    );
    expect(await on.ledger()).toHaveLength(1);
    expect(await outcomes()).toEqual(['credited', ...Array(49).fill('replayed')]);
    expect(await on.balance('shopper:pending:%')).toBe('50.00');
    expect(await deadlocks()).toBe(before);
  });

  it('and a batch that waits too long for them is delivered again whole, not message by message', async () => {
    const bodies = await messages(3);
    await deliver(bodies);
    const other = new pg.Client({ connectionString: database.owner });
    await other.connect();
    await other.query('begin');
    await other.query('select 1 from intake_locks where lock_key = any($1) for update', [
      (
        await on.rows<{ key: string }>(
          `select 'click:' || click_id as key from conversion_identities where tenant_id = $1`,
          [on.tenantId],
        )
      ).map(({ key }) => key),
    ]);
    const { batch, messages: sent } = batchOf(
      QUEUE,
      bodies.map((body) => ({
        ...body,
        postback_id: String(BigInt((body as { postback_id: string }).postback_id) + 1n),
      })),
    );
    const began = performance.now();
    await consumePostbacks(batch, at.env, at.deps);
    expect(words(sent)).toEqual(['retry', 'retry', 'retry']);
    expect(performance.now() - began).toBeLessThan(14_000);
    await other.query('rollback');
    await other.end();
    await deliver(sent.map(({ body }) => body));
    expect(await on.ledger()).toHaveLength(3);
  });
});

describe('fault 3: the worker dies between queue.send and its answer', () => {
  it('so that the network sends it again: two messages, one credit', async () => {
    let deaths = 1;
    const mortal = {
      ...at.env,
      POSTBACKS: {
        send: async (body: unknown) => {
          await at.env.POSTBACKS.send(body);
          if (deaths-- > 0) throw new Error('the isolate is gone');
        },
      },
    } as unknown as WebhookEnv;
    const send = await sender(mortal);
    expect((await send()).status).toBe(503);
    expect((await send()).status).toBe(200);
    expect(at.sent).toHaveLength(2);
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
    expect(await outcomes()).toEqual(['credited', 'replayed']);
  });
});

describe('fault 6: the consumer dies between its COMMIT and the first ack', () => {
  it('so that the whole batch comes again, and changes nothing', async () => {
    const bodies = await messages(5);
    const dead = (): never => {
      throw new Error('the isolate is gone');
    };
    const batch = {
      queue: QUEUE,
      messages: bodies.map((body, index) => ({ id: `m${index}`, body, attempts: 1, ack: dead, retry: dead })),
    } as unknown as MessageBatch;
    await expect(consumePostbacks(batch, at.env, at.deps)).rejects.toThrow('the isolate is gone');
    const committed = await on.rows('select * from journal_entries where tenant_id = $1 order by event_id, account', [
      on.tenantId,
    ]);
    expect(await on.ledger()).toHaveLength(5);
    await deliver(bodies);
    expect(await on.ledger()).toHaveLength(5);
    expect(
      await on.rows('select * from journal_entries where tenant_id = $1 order by event_id, account', [on.tenantId]),
    ).toEqual(committed);
    expect(await outcomes()).toEqual(Array(5).fill('credited'));
  });
});

describe('fault 4: the queue refuses', () => {
  it('is a 503 to the network, and nothing is stored; the next try is', async () => {
    const request = await sender();
    at.failing.queue = 1;
    const refused = await request();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(at.sent).toEqual([]);
    const taken = await request();
    expect([taken.status, await taken.json()]).toEqual([200, { status: 'ok' }]);
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
  });
});

describe('fault 5: the consumer fails at the eighth message of ten', () => {
  it('takes the nine others alone when the eighth is poisoned, and it again later', async () => {
    await on.rows(
      `create function poison() returns trigger language plpgsql as $$ begin
         if new.raw ->> 'txn_id' = 'M7' and new.tenant_id is not null then raise exception 'poisoned'; end if; return new; end $$;
       create trigger poison before insert on postbacks for each row execute function poison();`,
    );
    const bodies = await messages(10);
    const { batch, messages: sent } = batchOf(QUEUE, bodies);
    await consumePostbacks(batch, at.env, at.deps);
    expect(words(sent)).toEqual([...Array(7).fill('ack'), 'retry', 'ack', 'ack']);
    expect(await on.ledger()).toHaveLength(9);
    await on.rows('drop trigger poison on postbacks; drop function poison()');
    await deliver([bodies[7]]);
    expect(await on.ledger()).toHaveLength(10);
  });

  it('leaves nothing behind when the connection breaks, and none acknowledged: the redelivered batch is taken once', async () => {
    const bodies = await messages(10);
    proxy.cut({ at: 'piece', count: 5 }, 11);
    const { batch, messages: sent } = batchOf(QUEUE, bodies);
    await consumePostbacks(batch, behindProxy(), at.deps);
    expect(words(sent)).toEqual(Array(10).fill('retry'));
    expect(await on.ledger()).toEqual([]);
    proxy.cut({ at: 'piece', count: 0 }, 0);
    await deliver(bodies, behindProxy());
    expect(await on.ledger()).toHaveLength(10);
  });
});

describe('fault 7: the connection is lost at COMMIT', () => {
  it.each([
    ['never reached the server', false],
    ['was done and its answer lost', true],
  ])('which %s: the retry ends alike', async (_, isDelivered) => {
    const bodies = await messages(3);
    const before = proxy.broken;
    // The batch, then each of its messages alone.
    proxy.cut({ at: 'commit', isDelivered }, 2);
    const { batch, messages: sent } = batchOf(QUEUE, bodies);
    await consumePostbacks(batch, behindProxy(), at.deps);
    expect(proxy.broken - before).toBe(2);
    expect(words(sent)).toEqual(['retry', 'ack', 'ack']);
    expect(await on.ledger()).toHaveLength(isDelivered ? 3 : 2);
    await deliver(bodies, behindProxy());
    expect(await on.ledger()).toHaveLength(3);
    expect(await on.balance('shopper:pending:%')).toBe('150.00');
  });
});

describe('fault 8: the first word about a message counts', () => {
  it('so that each hears exactly one, whatever happens to the batch', async () => {
    const said: string[][] = [];
    const bodies = [...(await messages(3)), { kind: 'nonsense' }];
    const counted = (env: WebhookEnv) =>
      consumePostbacks(
        {
          queue: QUEUE,
          messages: bodies.map((body, index) => {
            said[index] = [];
            return {
              id: `m${index}`,
              body,
              attempts: 1,
              ack: () => said[index]?.push('ack'),
              retry: () => said[index]?.push('retry'),
            };
          }),
        } as unknown as MessageBatch,
        env,
        at.deps,
      );
    await counted(at.env);
    expect(said).toEqual([['ack'], ['ack'], ['ack'], ['retry']]);
    proxy.cut({ at: 'piece', count: 3 }, 100);
    await counted(behindProxy());
    expect(said).toEqual([['retry'], ['retry'], ['retry'], ['retry']]);
    proxy.cut({ at: 'piece', count: 0 }, 0);
  });
});

describe('fault 10: a status update arrives before what it updates', () => {
  it.each([
    ['cancelled', 'reversed', '0.00'],
    ['approved', 'pending', '50.00'],
  ])('and before the click: %s is parked and applied later, as in order', async (status, ends, balance) => {
    const click = on.newClick(await on.newVisitor(await on.newUser()));
    const bare = { click_id: String(click.clickId), txn_id: 'P1' };
    const [update, create] = [
      await at.message(null, { ...bare, status }),
      await at.message(null, { ...bare, status: 'pending' }),
    ];
    await deliver([update]);
    await deliver([create]);
    expect(await on.ledger()).toEqual([]);
    const message = {
      click_id: String(click.clickId),
      tenant_id: on.tenantId,
      link_id: on.linkId,
      visitor_id: click.visitorId,
      country: null,
      device: 'mobile',
      referrer_host: null,
      sub_id: null,
      source: 'edge',
    };
    const clicks = batchOf('hissaback-clicks', [message]);
    await consumeClicks(clicks.batch, at.env, at.deps);
    expect(words(clicks.messages)).toEqual(['ack']);
    await at.drain();
    expect((await on.ledger()).map((row) => row.status)).toEqual([ends]);
    expect(await on.balance('shopper:%')).toBe(balance);
  });
});

describe('fault 13, money rule 2: one order at one shop, through the links of two tenants', () => {
  it.each(['postback', 'poll'] as const)(
    'by %s: refused on day 29 across a month’s end, taken on day 31; from the same click on day 31 a replay',
    async (source) => {
      const other = await stage(database);
      // Another tenant's offer, of the same shop.
      await on.rows('update offers set merchant = $2 where offer_id = $1', [other.offerId, `merchant-${on.offerId}`]);
      const days = (count: number): void => {
        for (const each of [on, other]) each.clock.advance(count * DAY);
      };
      let listed = 0;
      const buys = (shop: typeof on, click: Click, id?: string): Promise<IntakeCounts> => {
        const created = new Date(shop.clock.now()).toISOString();
        const say = source === 'poll' ? { _id: id ?? `k${listed++}`, payout: '100.00', created } : {};
        return shop.take(shop.event(click, { txn_id: 'A1', ...say }, source));
      };
      const first = await on.storedClick(await on.newVisitor(await on.newUser()));
      expect(await buys(on, first, 'first')).toMatchObject({ credited: 1 });
      days(29);
      const early = await other.storedClick(await other.newVisitor(await other.newUser()));
      expect(await buys(other, early)).toMatchObject({ credited: 0, refused: 1 });
      expect(await other.ledger()).toMatchObject([{ status: 'rejected', reason: 'duplicate_order' }]);
      days(2);
      expect(new Date(on.clock.now()).getUTCMonth()).not.toBe(new Date(on.clock.now() - 31 * DAY).getUTCMonth());
      expect(await buys(on, first, 'first')).toMatchObject({ credited: 0, replayed: 1 });
      const late = await other.storedClick(await other.newVisitor(await other.newUser()));
      expect(await buys(other, late)).toMatchObject({ credited: 1 });
      // What was refused stays refused, whoever asks again, and each tenant has one credit.
      expect(await buys(on, first, 'first')).toMatchObject({ replayed: 1 });
      expect((await on.ledger()).map(({ status }) => status)).toEqual(['pending']);
      expect((await other.ledger()).map(({ status }) => status)).toEqual(['rejected', 'pending']);
      expect([await on.balance('shopper:%'), await other.balance('shopper:%')]).toEqual(['50.00', '50.00']);
      await other.end();
    },
  );

  it('is refused at the same moment to all but one, whoever’s links they are', async () => {
    const other = await stage(database);
    await on.rows('update offers set merchant = $2 where offer_id = $1', [other.offerId, `merchant-${on.offerId}`]);
    const sales = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const shop = index % 2 === 0 ? on : other;
        return { shop, event: shop.event(await shop.storedClick(await shop.newVisitor(null)), { txn_id: 'A2' }) };
      }),
    );
    const counts = await Promise.all(
      sales.map(async ({ shop, event }) => {
        const db = shop.worker();
        const count = await shop.takeOn(db, event);
        await db.end();
        return count;
      }),
    );
    expect(counts.reduce((sum, count) => sum + count.credited, 0)).toBe(1);
    expect(counts.reduce((sum, count) => sum + count.refused, 0)).toBe(19);
    await other.end();
  });
});

describe('fault 15: the partition of the month is missing', () => {
  it('is a retry and no loss, and the upkeep that makes it may run twice', async () => {
    // Far enough ahead that no other test needs those months.
    on.clock.set(Date.parse('2031-05-20T10:00:00Z'));
    const bodies = await messages(2);
    const { batch, messages: sent } = batchOf(QUEUE, bodies);
    await consumePostbacks(batch, at.env, at.deps);
    expect(words(sent)).toEqual(['retry', 'retry']);
    const make = () =>
      on.rows<{ made: number }>('select ensure_partitions($1, 0, 0) as made', [new Date(on.clock.now())]);
    expect((await make())[0]?.made).toBeGreaterThan(0);
    expect(await make()).toEqual([{ made: 0 }]);
    await deliver(bodies);
    expect(await on.ledger()).toHaveLength(2);
  });
});

describe('fault 16: a balance read right after a credit', () => {
  it('is fresh on every connection, and no Hyperdrive of ours may cache', async () => {
    const user = await on.newUser();
    const api = openDatabase({ connectionString: database.api });
    const mine = () => withUser(api, user, (tx) => rewardsOfUser(tx, { user_id: user, limit: 10 }));
    expect(await mine()).toEqual([]);
    await on.take(on.event(await on.storedClick(await on.newVisitor(user)), { txn_id: 'F1' }));
    expect(await mine()).toMatchObject([{ amount: '50.00', status: 'pending' }]);
    await api.end();
    // A binding whose name says that it caches has no place in any worker.
    for (const name of ['api', 'webhook', 'payout-cron']) {
      const toml = readFileSync(join(import.meta.dirname, '..', name, 'wrangler.toml'), 'utf8');
      expect(toml.match(/\[\[hyperdrive\]\]/g), name).toHaveLength(1);
      expect(toml, name).not.toMatch(/cach(e|ing) *= *true/);
    }
  });
});

describe('fault 32: PostgreSQL ends a transaction that another one stands in the way of', () => {
  it('by a deadlock (40P01): the whole transaction runs again', async () => {
    const visitor = await on.newVisitor(await on.newUser());
    const click = on.newClick(visitor);
    const body = await at.message(click, { txn_id: 'X1' });
    await deliver([await at.message(click, { txn_id: 'X0' })]);
    const keys = [`click:${click.clickId}`, `visitor:${visitor}`];
    // The consumer locks the click's key, then the visitor's; this one the other way round, and is slower to notice.
    const other = new pg.Client({ connectionString: database.owner });
    await other.connect();
    const pid = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
    await other.query(`set deadlock_timeout = '60s'`);
    await other.query('begin');
    await other.query('select 1 from intake_locks where lock_key = $1 for update', [keys[1]]);
    const { batch, messages: sent } = batchOf(QUEUE, [body]);
    const consumed = consumePostbacks(batch, at.env, at.deps);
    await until(async () => {
      const { rowCount } = await on.owner.query(
        'select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))',
        [pid],
      );
      return rowCount === 1;
    });
    await other.query('select 1 from intake_locks where lock_key = $1 for update', [keys[0]]);
    await other.query('commit');
    await other.end();
    await consumed;
    expect(words(sent)).toEqual(['ack']);
    expect(await on.ledger()).toHaveLength(2);
    const { rows } = await on.owner.query<{ deadlocks: string }>(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    expect(Number(rows[0]?.deadlocks)).toBeGreaterThan(0);
  });

  it('by a serialization failure (40001): the whole transaction runs again', async () => {
    await on.rows(`alter database ${database.name} set default_transaction_isolation = 'repeatable read'`);
    try {
      const click = on.newClick(await on.newVisitor(await on.newUser()));
      const events = Array.from({ length: 6 }, (_, index) => on.event(click, { txn_id: `Y${index}` }));
      const delays: number[] = [];
      const workers = events.map(() =>
        openDatabase(
          { connectionString: database.webhook },
          { sleep: async (milliseconds) => void delays.push(milliseconds) },
        ),
      );
      await Promise.all(events.map((event, index) => retried(() => on.takeOn(workers[index] ?? on.db, event))));
      await Promise.all(workers.map((one) => one.end()));
      expect(delays.length).toBeGreaterThan(0);
      expect(await on.ledger()).toHaveLength(6);
    } finally {
      await on.rows(`alter database ${database.name} reset default_transaction_isolation`);
    }
  });
});

describe('fault 40: no key of row-level security is left behind', () => {
  it('by a consumer on a connection that is used again, and none that is found there is used', async () => {
    await deliver(await messages(1));
    await on.db.transaction(async (tx) => {
      const keys = `select current_setting('app.tenant', true) as tenant, current_setting('app.user', true) as "user", current_setting('app.revive', true) as revive`;
      expect((await tx.query(keys)).rows).toEqual([{ tenant: '', user: '', revive: null }]);
    });
    // Somebody's word of a revival on the session must not let the next batch move a reversed reward.
    await on.db.transaction((tx) => tx.query(`select set_config('app.revive', 'yes', false)`));
    const click = await on.storedClick(null);
    await on.take(on.event(click, { txn_id: 'K1', status: 'rejected' }));
    await on.take(on.event(click, { txn_id: 'K1', status: 'approved' }));
    expect((await on.ledger()).filter((row) => row.status === 'reversed')).toHaveLength(1);
  });
});

describe('fault 44: the consumer is killed again and again', () => {
  it('at every piece it sends to PostgreSQL: each batch is taken once in the end', async () => {
    const all: unknown[] = [];
    for (let count = 1; count <= 16; count++) {
      const bodies = (await messages(3)).map((body, index) =>
        body.kind === 'event' ? { ...body, raw: { ...body.raw, txn_id: `Z${count}-${index}` } } : body,
      );
      all.push(...bodies);
      proxy.cut({ at: 'piece', count }, 3);
      const { batch } = batchOf(QUEUE, bodies);
      await consumePostbacks(batch, behindProxy(), at.deps);
      proxy.cut({ at: 'piece', count: 0 }, 0);
      await deliver(bodies);
    }
    await deliver(all);
    expect(await on.ledger()).toHaveLength(48);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 15_000; ; ) {
    if (await holds()) return;
    if (Date.now() > deadline) throw new Error('it did not happen within 15 seconds');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** As the queue would: what failed after its own retries is delivered again. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt > 20) throw error;
    }
  }
}
