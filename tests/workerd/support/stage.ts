// The types of `cloudflare:test`; this file runs inside the Workers runtime.
/// <reference types="@cloudflare/vitest-plugin/types" />
import { createExecutionContext, createMessageBatch, createScheduledController, getQueueResult } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { mintClickId, mintId } from '@hissaback/shared/domain/click-id';
import { encodeClickReference } from '@hissaback/shared/domain/click-reference';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { importJWK, SignJWT } from 'jose';
import pg from 'pg';
import { inject } from 'vitest';
import platform, { type PlatformEnv } from './main.ts';
import type {} from './provided.ts';

/** The bindings of all three workers. */
export const bindings = env as unknown as PlatformEnv;
/** An address on the allowlist. */
export const NETWORK = '203.0.113.7';
const AUDIENCE = { iss: 'hissaback', aud: 'hissaback-api' };

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** A tenant with a link to an offer of its own that pays 10 % without a cool-off, half and half; the database is looked at as its owner. */
export async function openStage() {
  const owner = new pg.Client({ connectionString: bindings.DB_OWNER.connectionString });
  owner.on('error', () => undefined); // over Hyperdrive a connection that is ended says that it is closed
  await owner.connect();
  const [tenantId, campaignId, linkId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const offerId = 20_000 + Math.floor(Math.random() * 1e9);
  const rows = async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> =>
    (await owner.query<Row>(sql, values)).rows;
  await rows(`insert into tenants (tenant_id, name, trackier_pid, created_at) values ($1, 'T', $2, now())`, [
    tenantId,
    `pid-${offerId}`,
  ]);
  await rows(
    `insert into offers (offer_id, brand, title, merchant, model, currency, base_commission_pct, cool_off_days, tracking_link, synced_at)
     values ($1, 'Brand', 'Title', $2, 'cps', 'INR', 10, 0, 'https://network.example/click', now())`,
    [offerId, `merchant-${offerId}`],
  );
  await rows(
    `insert into campaigns (campaign_id, tenant_id, name, share_pct, created_at) values ($1, $2, 'C', 50, now())`,
    [campaignId, tenantId],
  );
  await rows(
    `insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at) values ($1, $2, $3, $4, $5, now())`,
    [linkId, tenantId, campaignId, offerId, `s${offerId}`],
  );

  return {
    ...{ tenantId, offerId, linkId, rows },
    /** A click reference of a shopper's visitor; the click itself is not stored. */
    async reference(visitorId: string | null): Promise<string> {
      const clickId = mintClickId(systemClock, systemRandom);
      const ring = keyringFrom(bindings.REFERENCE_KEYS, 'REFERENCE_KEYS');
      return encodeClickReference(ring, { clickId, linkId, visitorId });
    },
    /** A shopper, and the visitor that is theirs. */
    async shopper(): Promise<{ userId: string; visitorId: string; phone: string }> {
      const [userId, visitorId] = [crypto.randomUUID(), crypto.randomUUID()];
      const phone = freshPhone();
      await rows('insert into users (user_id, phone, created_at) values ($1, $2, now())', [userId, phone]);
      await rows('insert into visitors (visitor_id, user_id, created_at, bound_at) values ($1, $2, now(), now())', [
        visitorId,
        userId,
      ]);
      return { userId, visitorId, phone };
    },
    /** The parameters of a postback about a sale of 1,000.00. */
    sale: (click_id: string, txn_id: string): Record<string, string> => ({
      ...{ click_id, txn_id, offer_id: String(offerId), sale_amount: '1000.00', status: 'approved' },
    }),
    rewards: () =>
      rows<{ user_id: string | null; user_amount: string; creator_amount: string; status: string }>(
        'select user_id, user_amount, creator_amount, status from ledger where tenant_id = $1 order by led_id',
        [tenantId],
      ),
    close: () => owner.end(),
  };
}

/** A request to the origin, in a context of its own as each request has. */
export async function call(
  method: string,
  path: string,
  { token, json, headers = {} }: { token?: string; json?: unknown; headers?: Record<string, string> } = {},
) {
  const response = await (exports as unknown as { default: Fetcher }).default.fetch(`http://hissaback.test${path}`, {
    method,
    headers: {
      'cf-connecting-ip': NETWORK,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text.startsWith('{') ? JSON.parse(text) : text };
}

/** What a message of the queue `postbacks` carries. */
export function postbackMessage(raw: Record<string, string>): Record<string, unknown> {
  return { kind: 'event', postback_id: String(mintId(systemClock, systemRandom)), source: 'postback', raw };
}

/** Hands a batch to the workers' queue handler as the runtime does, and answers what became of each message, and the seconds that each waits. */
export async function deliver(queue: string, bodies: readonly unknown[], attempts = 1) {
  const batch = createMessageBatch(
    queue,
    bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts, body })),
  );
  // The runtime's own result does not tell how long a message is to wait.
  const delays: (number | undefined)[] = batch.messages.map(() => undefined);
  for (const [index, message] of batch.messages.entries()) {
    const retry = message.retry.bind(message);
    message.retry = (options) => {
      delays[index] ??= options?.delaySeconds;
      retry(options);
    };
  }
  const context = createExecutionContext();
  await platform.queue(batch, bindings);
  return { ...(await getQueueResult(batch, context)), delays };
}

/** Fires a cron of the payout worker as the runtime does. */
export async function fire(cron: string): Promise<void> {
  await platform.scheduled(createScheduledController({ cron, scheduledTime: new Date() }), bindings);
}

/** A cron's access token, as `npm start` makes one. */
export async function cronToken(): Promise<string> {
  const [key] = JSON.parse(bindings.JWT_KEYS);
  return new SignJWT({ role: 'cron', ...AUDIENCE })
    .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'at+jwt' })
    .setSubject('cron')
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(await importJWK(key, 'ES256'));
}

/** An Indian mobile number that nobody has. */
export function freshPhone(): string {
  return `+9198${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`;
}

/** The texts a phone got, oldest first. */
export async function messagesTo(phone: string): Promise<{ text: string; kind: string }[]> {
  return (await fetch(`${inject('outside').sms}/messages?to=${encodeURIComponent(phone)}`)).json();
}

/** Asks every 50 ms until there is an answer. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what} never came`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
