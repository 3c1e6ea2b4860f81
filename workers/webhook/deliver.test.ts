import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { WebhookMessage } from '../../packages/shared/contracts/webhooks.ts';
import { keyringFrom } from '../../packages/shared/domain/keyring.ts';
import { sealWebhookSecret } from '../../packages/shared/domain/webhook-secret.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { consumeWebhooks } from './deliver-queue.ts';
import { sweepWebhooks } from './deliver-sweep.ts';
import { stage } from './stage.fake.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAA';
const OLD_SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDAAAAAAAA';

const [OLD_KEY, NEW_KEY] = [`1:${'A'.repeat(43)}`, `2:${'B'.repeat(42)}A`];

type Call = { url: string; headers: Headers; body: string };

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let calls: Call[];
let queued: WebhookMessage[];
/** What endpoints answer, and what names resolve to. */
let answer: () => Response | Promise<Response>;
let addresses: string[] | null;
/** The ring of both workers. */
let keys: string;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  on = await stage(database);
  [calls, queued, addresses, keys] = [[], [], ['203.0.114.7'], OLD_KEY];
  answer = () => new Response('thanks');
});
afterEach(async () => {
  await on.owner.query('update webhook_deliveries set status = $1', ['failed']);
  await on.end();
});

async function fetchFake(input: URL | RequestInfo, init?: RequestInit): Promise<Response> {
  const url = String(input);
  if (url.startsWith('https://resolver.test/')) {
    if (addresses === null) return new Response('', { status: 500 });
    const isA = url.endsWith('type=A');
    return Response.json({ Status: 0, Answer: addresses.map((data) => ({ type: isA ? 1 : 28, data })) });
  }
  calls.push({ url, headers: new Headers(init?.headers), body: String(init?.body) });
  return answer();
}

function env(): WebhookEnv {
  return {
    DB: { connectionString: database.webhook },
    WEBHOOKS: {
      sendBatch: async (batch: { body: WebhookMessage }[]) => void queued.push(...batch.map(({ body }) => body)),
    },
    WEBHOOK_TARGETS: 'public',
    DNS_ENDPOINT: 'https://resolver.test/dns-query',
    WEBHOOK_KEYS: keys,
  } as unknown as WebhookEnv;
}
const deps = () => ({ clock: on.clock, random: on.random, fetch: fetchFake as typeof fetch });

/** A secret as the api keeps it. */
const sealed = (secret: string, endpoint_id: string): Promise<string> =>
  sealWebhookSecret(secret, { tenant_id: on.tenantId, endpoint_id }, keyringFrom(keys, 'WEBHOOK_KEYS'), on.random);

async function endpoint({ previous, ...columns }: Record<string, unknown> = {}): Promise<string> {
  const endpoint_id = crypto.randomUUID();
  const row = {
    ...{ endpoint_id, tenant_id: on.tenantId, url: 'https://hooks.asha.example/in' },
    secret: await sealed(SECRET, endpoint_id),
    ...{ events: ['conversion.created', 'conversion.confirmed', 'conversion.reversed', 'reward.paid'] },
    ...{ created_at: new Date(on.clock.now()), status_at: new Date(on.clock.now()) },
    ...(previous !== undefined && { previous_secret: await sealed(OLD_SECRET, endpoint_id), previous_until: previous }),
    ...columns,
  };
  const names = Object.keys(row);
  await on.owner.query(
    `insert into webhook_endpoints (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')})`,
    Object.values(row),
  );
  return endpoint_id;
}

const sweep = () => sweepWebhooks(on.db, env(), deps());
/** Sweeps, and consumes what was queued. */
async function deliver(): Promise<void> {
  await sweep();
  await consume(queued.splice(0));
}
async function consume(bodies: unknown[]): Promise<{ acked: number; retried: number }> {
  const seen = { acked: 0, retried: 0 };
  const messages = bodies.map((body, n) => ({
    ...{ id: String(n), body, attempts: 1, timestamp: new Date(), ack: () => undefined },
    retry: () => void seen.retried++,
  }));
  const batch = {
    queue: 'hissaback-webhooks',
    messages,
    ackAll: () => {
      seen.acked = messages.length;
    },
    retryAll() {},
  };
  await consumeWebhooks(batch as unknown as MessageBatch, env(), deps());
  return seen;
}
const deliveries = () =>
  on.rows<{
    status: string;
    attempts: number;
    response_status: number;
    response_body: string;
    error: string;
    type: string;
    next_attempt_at: Date;
  }>(
    `select d.*, e.type from webhook_deliveries d join webhook_events e using (tenant_id, event_id)
     where tenant_id = $1 order by e.occurred_at, e.type, d.created_at`,
    [on.tenantId],
  );
const told = async () => (await deliveries()).map((row) => row.type);
const endpointRow = async () =>
  (
    await on.rows<{ status: string; failures: number; failing_since: Date | null }>(
      'select * from webhook_endpoints where tenant_id = $1',
      [on.tenantId],
    )
  )[0];

it('tells an endpoint of a conversion, signed, and of nobody who bought', async () => {
  await endpoint();
  const user = await on.newUser();
  const visitor = await on.newVisitor(user);
  await on.take(on.event(on.newClick(visitor), { txn_id: 'A1' }));
  await deliver();
  const [call] = calls;
  if (call === undefined) throw new Error('nothing was sent');
  const message = JSON.parse(call.body);
  expect(message).toMatchObject({
    type: 'conversion.created',
    data: {
      ...{ user_amount: '50.00', creator_amount: '50.00', currency: 'INR', reward_status: 'pending' },
      ...{ link_id: on.linkId, campaign_id: on.campaignId, offer_id: on.offerId, order_value: '1000.00' },
    },
  });
  for (const secret of [user, visitor]) expect(call.body).not.toContain(secret);
  const id = call.headers.get('webhook-id');
  const timestamp = call.headers.get('webhook-timestamp');
  expect(Number(timestamp)).toBe(Math.floor(on.clock.now() / 1000));
  const key = Buffer.from(SECRET.slice(6), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${call.body}`).digest('base64');
  expect(call.headers.get('webhook-signature')).toBe(`v1,${signature}`);
  expect(await deliveries()).toMatchObject([
    { status: 'delivered', attempts: 1, response_status: 200, response_body: 'thanks', error: null },
  ]);
});

it('tells of confirmation, payment and reversal when the ledger says so, once each, and of refused rewards as reversed', async () => {
  await endpoint();
  const visitor = await on.newVisitor(await on.newUser());
  await on.take(on.event(on.newClick(visitor), { txn_id: 'B1' }));
  const move = async (status: string) => {
    on.clock.advance(1000);
    const at = new Date(on.clock.now());
    await on.owner.query('update ledger set status = $2, status_at = $3 where tenant_id = $1', [
      on.tenantId,
      status,
      at,
    ]);
  };
  await move('review');
  await move('pending');
  await move('confirmed');
  await move('confirmed');
  await move('paid');
  await move('reversed');
  expect(await told()).toEqual(['conversion.created', 'conversion.confirmed', 'reward.paid', 'conversion.reversed']);
});

it('tells an event again and again to nobody: a replayed postback makes no second one', async () => {
  await endpoint();
  const event = on.event(on.newClick(null), { txn_id: 'C1' });
  await on.take(event);
  await on.take(event);
  expect(await told()).toEqual(['conversion.created']);
});

it('writes nothing for a tenant that does not listen, or not to this', async () => {
  await endpoint({ status: 'disabled' });
  await endpoint({ events: ['reward.paid'] });
  await on.take(on.event(on.newClick(null), { txn_id: 'D1' }));
  expect(await deliveries()).toEqual([]);
  expect(await on.rows('select 1 from webhook_events where tenant_id = $1', [on.tenantId])).toEqual([]);
});

it('takes the event back together with the change that it tells of', async () => {
  await endpoint();
  const event = on.event(on.newClick(null), { txn_id: 'E1' });
  const work = on.db.transaction(async (tx) => {
    const { takeEvents } = await import('./ledger-consumer.ts');
    const { SETTINGS } = await import('./stage.fake.ts');
    await takeEvents(
      tx,
      { events: [event], ignored: [] },
      { settings: SETTINGS, random: on.random, now: on.clock.now() },
    );
    throw new Error('rolled back');
  });
  await expect(work).rejects.toThrow('rolled back');
  expect(await deliveries()).toEqual([]);
});

it('tries again ever more slowly, with the same bytes and id, and gives up after ten attempts', async () => {
  await endpoint();
  await on.take(on.event(on.newClick(null), { txn_id: 'F1' }));
  answer = () => new Response('x'.repeat(5000), { status: 503 });
  await deliver();
  expect(await deliveries()).toMatchObject([
    { status: 'pending', attempts: 1, response_status: 503, error: 'not_accepted' },
  ]);
  expect((await deliveries())[0]?.response_body).toHaveLength(1024);
  await deliver();
  expect(calls).toHaveLength(1);
  on.clock.advance(60_000);
  answer = () => Promise.reject(new TypeError('refused'));
  await deliver();
  expect(await deliveries()).toMatchObject([{ attempts: 2, response_status: null, error: 'unreachable' }]);
  for (let n = 2; n < 10; n++) {
    on.clock.advance(25 * 3_600_000);
    await on.owner.query('update webhook_endpoints set failures = 0, failing_since = null');
    await deliver();
  }
  expect(await deliveries()).toMatchObject([{ status: 'failed', attempts: 10 }]);
  expect(new Set(calls.map((call) => call.body)).size).toBe(1);
  expect(new Set(calls.map((call) => call.headers.get('webhook-id'))).size).toBe(1);
});

it('sends once what two copies of a message ask for, and again what was lost', async () => {
  await endpoint();
  await on.take(on.event(on.newClick(null), { txn_id: 'G1' }));
  await Promise.all([sweep(), sweepWebhooks(on.worker(), env(), deps())]);
  expect(queued).toHaveLength(1);
  const [message] = queued.splice(0);
  await Promise.all([consume([message, message]), consume([message])]);
  expect(calls).toHaveLength(1);
  await on.owner.query("update webhook_deliveries set status = 'pending' where tenant_id = $1", [on.tenantId]);
  await sweep();
  expect(queued).toHaveLength(0);
  on.clock.advance(5 * 60_000);
  await sweep();
  expect(queued).toMatchObject([{ attempts: 1 }]);
});

it('signs with both secrets during a rotation, and with the new one alone after it', async () => {
  const until = new Date(on.clock.now() + 3_600_000);
  await endpoint({ previous: until });
  await on.take(on.event(on.newClick(null), { txn_id: 'H1' }));
  await deliver();
  on.clock.set(until.getTime());
  await on.take(on.event(on.newClick(null), { txn_id: 'H2' }));
  await deliver();
  expect(calls.map((call) => call.headers.get('webhook-signature')?.split(' ').length)).toEqual([2, 1]);
  await sweep();
  expect(await on.rows('select previous_secret from webhook_endpoints where tenant_id = $1', [on.tenantId])).toEqual([
    { previous_secret: null },
  ]);
});

const kept = () =>
  on.rows<{ secret: string; previous_secret: string | null }>(
    'select secret, previous_secret from webhook_endpoints where tenant_id = $1',
    [on.tenantId],
  );

it('gives secrets the newest key: rotated by adding it, the old one can go, and the messages are signed as before', async () => {
  await endpoint({ previous: new Date(on.clock.now() + 86_400_000) });
  const before = await kept();
  for (const text of Object.values(before[0] ?? {})) expect(text).toMatch(/^1\.[\w-]{16}\.[\w-]+$/);
  await on.take(on.event(on.newClick(null), { txn_id: 'S1' }));
  keys = `${NEW_KEY},${OLD_KEY}`;
  await deliver();
  expect(await sweep()).toMatchObject({ resealed: 0 });
  for (const text of Object.values((await kept())[0] ?? {})) expect(text).toMatch(/^2\./);
  keys = NEW_KEY;
  await on.take(on.event(on.newClick(null), { txn_id: 'S2' }));
  await deliver();
  expect(calls).toHaveLength(2);
  for (const { headers, body } of calls) {
    const signed = `${headers.get('webhook-id')}.${headers.get('webhook-timestamp')}.${body}`;
    const signatures = [SECRET, OLD_SECRET].map(
      (secret) =>
        `v1,${createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
          .update(signed)
          .digest('base64')}`,
    );
    expect(headers.get('webhook-signature')).toBe(signatures.join(' '));
  }
});

it('encrypts secrets from before they were, and takes no other any more', async () => {
  const endpoint_id = await endpoint();
  await expect(
    on.owner.query('update webhook_endpoints set secret = $2 where endpoint_id = $1', [endpoint_id, SECRET]),
  ).rejects.toThrow('kept encrypted only');
  await on.owner.query('alter table webhook_endpoints disable trigger webhook_secret_is_sealed');
  await on.owner.query('update webhook_endpoints set secret = $2 where endpoint_id = $1', [endpoint_id, SECRET]);
  await on.owner.query('alter table webhook_endpoints enable trigger webhook_secret_is_sealed');
  expect(await sweep()).toMatchObject({ resealed: 1 });
  expect(await kept()).toEqual([{ secret: expect.stringMatching(/^1\./), previous_secret: null }]);
});

it('does not hold a key that is missing against the endpoint, and sends once it is back', async () => {
  await endpoint();
  await on.take(on.event(on.newClick(null), { txn_id: 'T1' }));
  keys = NEW_KEY;
  await deliver();
  expect(calls).toEqual([]);
  expect(await deliveries()).toMatchObject([{ status: 'pending', error: 'secret_unreadable' }]);
  expect(await endpointRow()).toMatchObject({ status: 'enabled', failures: 0 });
  keys = `${NEW_KEY},${OLD_KEY}`;
  on.clock.advance(5 * 60_000);
  await deliver();
  expect(await deliveries()).toMatchObject([{ status: 'delivered' }]);
});

it('disables an endpoint after fifty failures in a row, with a line in the audit log; one success begins anew', async () => {
  await endpoint({ failures: 48, failing_since: new Date(on.clock.now()) });
  for (const txn_id of ['I1', 'I2']) await on.take(on.event(on.newClick(null), { txn_id }));
  await deliver();
  expect(await endpointRow()).toMatchObject({ status: 'enabled', failures: 0, failing_since: null });
  await on.owner.query('update webhook_endpoints set failures = 49, failing_since = $1', [new Date(on.clock.now())]);
  for (const txn_id of ['I3', 'I4']) await on.take(on.event(on.newClick(null), { txn_id }));
  answer = () => new Response('', { status: 404 });
  await deliver();
  expect(await endpointRow()).toMatchObject({ status: 'failing', failures: 51 });
  expect(await on.rows('select action, actor from audit_log where tenant_id = $1', [on.tenantId])).toEqual([
    { action: 'webhook.disabled', actor: 'system' },
  ]);
  expect((await deliveries()).slice(2)).toMatchObject([{ status: 'failed' }, { status: 'failed' }]);
  await on.take(on.event(on.newClick(null), { txn_id: 'I5' }));
  expect(await deliveries()).toHaveLength(4);
});

it.each([['10.0.0.7'], ['127.0.0.1'], ['169.254.169.254'], ['fd00::7'], ['::ffff:10.0.0.1']])(
  'never calls a name that leads to %s',
  async (address) => {
    await endpoint();
    await on.take(on.event(on.newClick(null), { txn_id: address }));
    addresses = ['203.0.114.7', address];
    await deliver();
    expect(calls).toEqual([]);
    expect(await deliveries()).toMatchObject([
      { status: 'pending', error: 'target_not_allowed', response_status: null },
    ]);
  },
);

it('follows no redirect', async () => {
  await endpoint();
  await on.take(on.event(on.newClick(null), { txn_id: 'K1' }));
  answer = () => new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } });
  await deliver();
  expect(calls).toHaveLength(1);
  expect(await deliveries()).toMatchObject([{ status: 'pending', response_status: 302, error: 'not_accepted' }]);
});

it('does not hold a resolver that is down against the endpoint', async () => {
  await endpoint();
  await on.take(on.event(on.newClick(null), { txn_id: 'L1' }));
  addresses = null;
  await deliver();
  expect(calls).toEqual([]);
  expect(await deliveries()).toMatchObject([{ status: 'pending', error: 'resolver_unavailable' }]);
  expect(await endpointRow()).toMatchObject({ failures: 0 });
});

it('drops an unreadable message, and gives a batch back whose database is down', async () => {
  expect(await consume([null, 'x', { delivery_id: 'x', attempts: 1 }])).toEqual({ acked: 3, retried: 0 });
  const { webhook } = database;
  database.webhook = 'postgres://x@127.0.0.1:1/none';
  expect(await consume([{ delivery_id: crypto.randomUUID(), attempts: 0 }])).toEqual({ acked: 0, retried: 1 });
  database.webhook = webhook;
});

it('forgets events after thirty days, with their deliveries', async () => {
  await endpoint();
  await on.take(on.event(on.newClick(null), { txn_id: 'M1' }));
  await deliver();
  on.clock.advance(31 * 86_400_000);
  expect(await sweep()).toMatchObject({ forgotten: expect.any(Number) });
  expect(await deliveries()).toEqual([]);
});
