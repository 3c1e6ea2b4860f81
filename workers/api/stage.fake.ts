import type { ClickMessage } from '@hissaback/shared/contracts/click-message';
import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import type { ImportCalls } from '@hissaback/shared/contracts/reconciliation';
import type { RunReport } from '@hissaback/shared/contracts/schedules';
import { type FixedClock, fixedClock, seededRandom } from '@hissaback/shared/domain/chance.fake';
import { mintId } from '@hissaback/shared/domain/click-id';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { type Grant, signAccessToken } from '@hissaback/shared/http/access-token';
import { parseTokenKeys } from '@hissaback/shared/http/token-keys';
import { exportJWK, generateKeyPair } from 'jose';
import pg from 'pg';
import { inject } from 'vitest';
import { createTestDatabase } from '../../tests/support/postgres.ts';
import { createApp } from './app.ts';
import { type FakeSessions, fakeSessions } from './identity/sessions.fake.ts';
import { answerChecker } from './openapi/answers.fake.ts';

export const ORIGIN = 'https://hissaback.test';

type Copy = { value: string; metadata: unknown };

/** The worker's application on a stage: a real database, and stand-ins for KV, the queue and the payout worker that can be made to fail. */
export type Stage = {
  clock: FixedClock;
  env: ApiEnv;
  /** What KV holds. */
  copies: Map<string, Copy>;
  /** What R2 holds. */
  objects: Objects;
  /** The link in KV under a key, parsed. */
  copy(key: string): Record<string, unknown> | null;
  clicks: ClickMessage[];
  /** Number of coming KV writes and queue sends that fail. */
  failing: { kv: number; queue: number };
  /** Runs before each KV write, with its key: a place to be overtaken at. */
  beforePut: (key: string) => Promise<void>;
  payoutReport: RunReport;
  /** What the webhook worker does with an upload. */
  takeImport: ImportCalls['take'];
  /** What was sent to the ledger consumer. */
  postbacks: PostbackMessage[];
  logs: string[];
  /** A superuser's statement. */
  sql<Row extends Record<string, unknown>>(text: string, params?: unknown[]): Promise<Row[]>;
  uuid(): string;
  /** A person's token comes with a session, a widget's with a widget of that tenant, if there is such a tenant. */
  token(grant: Grant): Promise<string>;
  sessions: FakeSessions;
  /** A new user, with a shopper's token. */
  user(): Promise<{ user_id: string; token: string }>;
  /** A new tenant with its owner, and the owner's creator token. */
  tenant(columns?: { trackier_pid?: string; custom_domain?: string }): Promise<{
    tenant_id: string;
    user_id: string;
    token: string;
  }>;
  operator(): Promise<{ user_id: string; token: string }>;
  offer(columns?: Record<string, unknown>): Promise<number>;
  campaign(tenant_id: string, columns?: Record<string, unknown>): Promise<string>;
  /** A link with a campaign and an offer of its own, not published yet. */
  link(tenant_id: string, columns?: { slug?: string; offer_id?: number }): Promise<string>;
  /** A conversion and its row of the ledger; answers the ledger id. */
  reward(reward: Reward): Promise<string>;
  /** One request, after whose answer everything in `waitUntil` has ended. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
};

export type Reward = {
  tenant_id: string;
  link_id: string;
  user_id?: string;
  at: Date;
  user_amount: string;
  creator_amount: string;
  status: string;
  currency?: string;
  release_at?: Date;
};

export type CallOptions = {
  token?: string;
  json?: unknown;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
};
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the answer holds
export type Answer = { status: number; headers: Headers; text: string; json: any };

type Objects = Map<string, { bytes: Uint8Array<ArrayBuffer>; httpMetadata: R2HTTPMetadata }>;

/** R2 as far as assets use it. */
function assetsBucket(objects: Objects) {
  return {
    put: async (key: string, bytes: Uint8Array<ArrayBuffer>, options: { httpMetadata: R2HTTPMetadata }) =>
      void objects.set(key, { bytes, httpMetadata: options.httpMetadata }),
    head: async (key: string) => (objects.has(key) ? { key } : null),
    delete: async (key: string) => void objects.delete(key),
    list: async ({ prefix, limit }: { prefix: string; limit: number }) => ({
      objects: [...objects]
        .filter(([key]) => key.startsWith(prefix))
        .slice(0, limit)
        .map(([key, { bytes }]) => ({ key, size: bytes.length, uploaded: new Date(0) })),
    }),
    get: async (key: string) => {
      const object = objects.get(key);
      return object === undefined ? null : { body: object.bytes, size: object.bytes.length };
    },
  };
}

let signing: Promise<string> | undefined;

/** One signing key for all tests of a run: making one takes longer than a test. */
function jwtKeys(): Promise<string> {
  signing ??= generateKeyPair('ES256', { extractable: true }).then(async ({ privateKey }) =>
    JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'test', alg: 'ES256' }]),
  );
  return signing;
}

export async function stage(): Promise<Stage> {
  const database = await createTestDatabase(inject('postgres'));
  const admin = new pg.Client({ connectionString: database.owner });
  await admin.connect();
  const keys = await jwtKeys();
  const clock = fixedClock(Date.now());
  const random = seededRandom(Math.floor(Math.random() * 2 ** 32));
  const copies = new Map<string, Copy>();
  const clicks: ClickMessage[] = [];
  const postbacks: PostbackMessage[] = [];
  const logs: string[] = [];
  const failing = { kv: 0, queue: 0 };
  const objects: Objects = new Map();
  const sessions = fakeSessions(random);
  const links = {
    get: async (key: string) => copies.get(key)?.value ?? null,
    put: async (key: string, value: string, options?: { metadata?: unknown }) => {
      await on.beforePut(key);
      if (failing.kv-- > 0) throw new Error('KV PUT failed: 429 Too Many Requests');
      copies.set(key, { value, metadata: options?.metadata });
    },
    delete: async (key: string) => void copies.delete(key),
    list: async () => ({
      keys: [...copies].map(([name, { metadata }]) => ({ name, metadata })),
      list_complete: true,
    }),
  };
  const env = {
    PLATFORM_ORIGIN: ORIGIN,
    PAYOUT_MINIMUM: '100.00',
    CREATOR_PAYOUT_MINIMUM: '500.00',
    CREATOR_PAYOUT_DAY: '1',
    PLATFORM_FEE_BP: '0',
    DNS_ENDPOINT: 'https://resolver.test/dns-query',
    WEBHOOK_TARGETS: 'public',
    JWT_KEYS: keys,
    KYC_KEYS: `1:${'C'.repeat(42)}A`,
    API_KEY_KEYS: `1:${'D'.repeat(42)}A`,
    WEBHOOK_KEYS: `1:${'E'.repeat(42)}A`,
    SESSIONS: sessions.namespace,
    OTP_COUNTRIES: 'IN',
    REFERENCE_KEYS: `1:${'A'.repeat(43)}`,
    VISITOR_KEYS: `1:${'B'.repeat(42)}A`,
    DB: { connectionString: database.api },
    LINKS: links,
    ASSETS_BUCKET: assetsBucket(objects),
    CLICKS: {
      send: async (message: ClickMessage) => {
        if (failing.queue-- > 0) throw new Error('Queue send failed: Too Many Requests');
        clicks.push(message);
      },
    },
    POSTBACKS: {
      send: async (message: PostbackMessage) => {
        if (failing.queue-- > 0) throw new Error('Queue send failed: Too Many Requests');
        postbacks.push(message);
      },
    },
    PAYOUT_CRON: { run: async () => on.payoutReport },
    IMPORTS: { take: async (...given: Parameters<ImportCalls['take']>) => on.takeImport(...given) },
    CORS_ORIGINS: '',
    // A suite makes all its requests in a minute that never ends.
    PUBLIC_PER_MINUTE: '1000000',
    PUBLIC_LIMIT: { limit: async () => ({ success: true }) },
  } as unknown as ApiEnv;
  const app = createApp({ clock, random, write: (line) => void logs.push(line) });
  const check = answerChecker(app);
  const uuid = (): string => mintUuid(random);

  const on: Stage = {
    clock,
    env,
    copies,
    objects,
    copy: (key) => JSON.parse(copies.get(key)?.value ?? 'null'),
    clicks,
    failing,
    beforePut: async () => undefined,
    payoutReport: { schedule: 'payout', ok: true, counts: { paid: 0 } },
    takeImport: async (body, { dryRun }) => {
      const text = await new Response(body).text();
      const listed = text.split('\n').length - 1;
      return {
        import_id: uuid(),
        dry_run: dryRun,
        complete: true,
        listed,
        sent: listed,
        known: 0,
        failed: 0,
        errors: [],
      };
    },
    postbacks,
    logs,
    async sql<Row extends Record<string, unknown>>(text: string, params: unknown[] = []) {
      return (await admin.query<Row>(text, params)).rows;
    },
    uuid,
    sessions,
    async token(grant) {
      const isPerson = grant.role === 'shopper' || grant.role === 'creator' || grant.role === 'operator';
      const own: Partial<Grant> = {};
      if (isPerson) {
        own.sessionId = grant.sessionId ?? uuid();
        if (grant.sessionId === undefined)
          await sessions.calls(own.sessionId).start(own.sessionId, grant.sub, clock.now());
      }
      if (grant.role === 'widget') {
        own.jti = grant.jti ?? uuid();
        await on.sql(
          `with tenant as (select tenant_id, user_id from tenant_members where tenant_id = $1 limit 1),
           campaign as (insert into campaigns select $4, tenant_id, 'Widget', 50, 'active', now() from tenant returning tenant_id),
           widget as (insert into widgets (widget_id, tenant_id, campaign_id, created_at) select $2, tenant_id, $4, now() from campaign on conflict do nothing)
           insert into widget_tokens (token_id, tenant_id, widget_id, created_by, created_at, expires_at)
           select $3, tenant_id, $2, user_id, now(), now() + interval '5 years' from tenant`,
          [grant.tenantId, grant.sub, own.jti, uuid()],
        );
      }
      return signAccessToken(await parseTokenKeys(keys), { ...grant, ...own }, clock, random);
    },
    async user() {
      const user_id = uuid();
      await on.sql('insert into users (user_id, created_at) values ($1, now())', [user_id]);
      return { user_id, token: await on.token({ sub: user_id, role: 'shopper' }) };
    },
    async tenant({ trackier_pid, custom_domain } = {}) {
      const { user_id } = await on.user();
      const tenant_id = uuid();
      await on.sql(
        `insert into tenants (tenant_id, name, trackier_pid, custom_domain, default_share_pct, created_at)
         values ($1, 'Asha shares', $2, $3, 50, now())`,
        [tenant_id, trackier_pid ?? null, custom_domain ?? null],
      );
      await on.sql("insert into tenant_members values ($1, $2, 'owner', now())", [tenant_id, user_id]);
      return { tenant_id, user_id, token: await on.token({ sub: user_id, role: 'creator', tenantId: tenant_id }) };
    },
    async operator() {
      const { user_id } = await on.user();
      await on.sql('insert into operators values ($1, now())', [user_id]);
      return { user_id, token: await on.token({ sub: user_id, role: 'operator' }) };
    },
    async offer(columns = {}) {
      const row = {
        offer_id: 1 + Math.floor(Math.random() * 2_000_000_000),
        brand: 'Nila',
        title: 'Nila Fashion',
        merchant: 'nila',
        model: 'cps',
        currency: 'INR',
        base_commission_pct: '8.00',
        tracking_link: 'https://demo.gotrackier.com/click?campaign_id=7&pub_id=1',
        synced_at: new Date(),
        ...columns,
      };
      const names = Object.keys(row);
      const places = names.map((_, index) => `$${index + 1}`);
      await on.sql(`insert into offers (${names.join(', ')}) values (${places.join(', ')})`, Object.values(row));
      return row.offer_id;
    },
    async campaign(tenant_id, columns = {}) {
      const { status = 'active', share_pct = '50.00' } = columns;
      const campaign_id = uuid();
      await on.sql('insert into campaigns values ($1, $2, $3, $4, $5, now())', [
        campaign_id,
        tenant_id,
        'Diwali',
        share_pct,
        status,
      ]);
      return campaign_id;
    },
    async link(tenant_id, { slug, offer_id } = {}) {
      const link_id = uuid();
      await on.sql(
        `insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at) values ($1, $2, $3, $4, $5, now())`,
        [link_id, tenant_id, await on.campaign(tenant_id), offer_id ?? (await on.offer()), slug ?? link_id],
      );
      return link_id;
    },
    async reward({ tenant_id, link_id, user_id, at, user_amount, creator_amount, status, currency, release_at }) {
      const id = mintId(clock, random).toString();
      await on.sql(
        `with link as (select campaign_id, offer_id from links where link_id = $3), identity as (
           insert into conversion_identities (conv_id, tenant_id, occurred_at, click_id, link_id, offer_id, status, order_value, net_commission, changed_at)
           select $1, $2, $4, $1, $3, offer_id, 'approved', 1000, $6::numeric + $7::numeric, $4 from link
         ), conversion as (
           insert into conversions (conv_id, created_at, tenant_id, click_id, link_id, campaign_id, offer_id, user_id, order_value, net_commission,
             currency, status, cool_off_days, received_at)
           select $1, $4, $2, $1, $3, campaign_id, offer_id, $5, 1000, $6::numeric + $7::numeric, $9, 'approved', 30, $4 from link
         )
         insert into ledger (led_id, tenant_id, created_at, conv_id, user_id, currency, user_pct, user_amount, creator_amount, status, release_at, status_at)
         values ($1, $2, $4, $1, $5, $9, 50, $6, $7, $8, $10, $4)`,
        [
          id,
          tenant_id,
          link_id,
          at,
          user_id ?? null,
          user_amount,
          creator_amount,
          status,
          currency ?? 'INR',
          release_at ?? at,
        ],
      );
      return id;
    },
    async call(method, path, { token, json, headers = {}, body } = {}) {
      const pending: Promise<unknown>[] = [];
      const context = { waitUntil: (work: Promise<unknown>) => void pending.push(work), passThroughOnException() {} };
      const request = new Request(ORIGIN + path, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...((json !== undefined || body !== undefined) && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: json === undefined ? (body ?? null) : JSON.stringify(json),
      });
      const answer = await app.fetch(request, env, context as unknown as ExecutionContext);
      await Promise.all(pending);
      const text = await answer.text();
      const contentType = answer.headers.get('content-type');
      const parsed = /json/.test(contentType ?? '') && text !== '' ? JSON.parse(text) : undefined;
      const wrong = check({ method, path, status: answer.status, contentType, json: parsed });
      if (wrong !== null) throw new Error(`An answer is not as it is described: ${wrong}`);
      return { status: answer.status, headers: answer.headers, text, json: parsed };
    },
    async close() {
      await admin.end();
      await database.drop();
    },
  };
  return on;
}
