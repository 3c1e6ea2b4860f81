import { randomUUID } from 'node:crypto';
import type { PostbackMessage } from '../../packages/shared/contracts/postback-message.ts';
import { mintId } from '../../packages/shared/domain/click-id.ts';
import { encodeClickReference } from '../../packages/shared/domain/click-reference.ts';
import { keyringFrom } from '../../packages/shared/domain/keyring.ts';
import type { TestDatabase } from '../../tests/support/postgres.ts';
import type { Deps } from './deps.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import type { Click, stage } from './stage.fake.ts';

export const REFERENCE_KEYS = `1:${'A'.repeat(43)}`;

export type FakeMessage = {
  id: string;
  body: unknown;
  attempts: number;
  /** What the consumer said first; later words do not count (fault 8). */
  said: 'nothing' | 'ack' | 'retry';
};

/** A batch as the runtime hands it out. */
export function batchOf(
  queue: string,
  bodies: readonly unknown[],
  attempts = 1,
): { batch: MessageBatch; messages: FakeMessage[] } {
  const messages = bodies.map((body): FakeMessage => ({ id: randomUUID(), body, attempts, said: 'nothing' }));
  const say = (message: FakeMessage, word: 'ack' | 'retry'): void => {
    if (message.said === 'nothing') message.said = word;
  };
  const batch = {
    queue,
    messages: messages.map((message) => ({
      id: message.id,
      timestamp: new Date(0),
      body: message.body,
      attempts: message.attempts,
      ack: () => say(message, 'ack'),
      retry: () => say(message, 'retry'),
    })),
    ackAll: () => {
      for (const message of messages) say(message, 'ack');
    },
    retryAll: () => {
      for (const message of messages) say(message, 'retry');
    },
  };
  return { batch: batch as unknown as MessageBatch, messages };
}

export type Page = { action: string; key: string; summary: string };

/** The webhook worker around a stage: queues and R2 in memory, the pager's calls written down, the network answered by `network`. */
export function worker(database: TestDatabase, on: Awaited<ReturnType<typeof stage>>) {
  const sent: { queue: string; body: unknown }[] = [];
  const objects = new Map<string, string>();
  const pages: Page[] = [];
  const failing = { queue: 0, bucket: 0, pager: 0 };
  const state = { network: async (url: string): Promise<Response> => new Response(url, { status: 404 }) };
  const producer = (queue: string) => ({
    send: async (body: unknown) => {
      if (failing.queue-- > 0) throw new Error('Queue send failed: Too Many Requests');
      sent.push({ queue, body });
    },
    sendBatch: async (batch: readonly { body: unknown }[]) => {
      if (failing.queue-- > 0) throw new Error('Queue sendBatch failed: Too Many Requests');
      for (const { body } of batch) sent.push({ queue, body });
    },
  });
  const env = {
    DB: { connectionString: database.webhook },
    POSTBACKS: producer('hissaback-postbacks'),
    CLICKS: producer('hissaback-clicks'),
    WEBHOOKS: producer('hissaback-webhooks'),
    EVIDENCE: {
      put: async (key: string, value: string) => {
        if (failing.bucket-- > 0) throw new Error('R2 put failed');
        objects.set(key, value);
        return { key };
      },
      get: async (key: string) => {
        const value = objects.get(key);
        return value === undefined ? null : { text: async () => value, json: async () => JSON.parse(value) as unknown };
      },
      head: async (key: string) => (objects.has(key) ? { key } : null),
      delete: async (keys: string | string[]) => {
        for (const key of typeof keys === 'string' ? [keys] : keys) objects.delete(key);
      },
      list: async ({ prefix, limit = 1000, cursor = '' }: { prefix: string; limit?: number; cursor?: string }) => {
        const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > cursor).toSorted();
        const page = keys.slice(0, limit);
        const truncated = keys.length > page.length;
        return { objects: page.map((key) => ({ key })), truncated, cursor: truncated ? page.at(-1) : undefined };
      },
    },
    VELOCITY: {
      idFromName: (name: string) => name,
      get: () => ({ record: async (events: readonly unknown[]) => events.map(() => 1) }),
    },
    TRACKIER_ENDPOINT: 'https://network.test',
    TRACKIER_CSV_URL: '',
    TRACKIER_ALLOWLIST: '0.0.0.0/0,::/0',
    PAGER_ENDPOINT: 'https://pager.test',
    ATTRIBUTION_WINDOW_DAYS: '90',
    RECONCILE_WINDOW_DAYS: '90',
    PLATFORM_FEE_BP: '0',
    CREDIT_CURRENCY: 'INR',
    UNCLAIMED_DAYS: '180',
    UNCLAIMED_TO: 'creator',
    WEBHOOK_TOKENS: 'token-1,token-2',
    REFERENCE_KEYS,
    TRACKIER_API_KEY: 'network-key',
    PAGER_ROUTING_KEY: 'pager-key',
  } as unknown as WebhookEnv;
  const deps: Deps = {
    clock: on.clock,
    random: on.random,
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      if (!url.startsWith('https://pager.test')) return state.network(url);
      if (failing.pager-- > 0) return new Response('', { status: 500 });
      const event = JSON.parse(String(init?.body)) as {
        event_action: string;
        dedup_key: string;
        payload?: { summary: string };
      };
      pages.push({ action: event.event_action, key: event.dedup_key, summary: event.payload?.summary ?? '' });
      return new Response('{}', { status: 202 });
    },
    sleep: async (milliseconds) => on.clock.advance(milliseconds),
  };
  /** Takes what was sent to the ledger consumer, batch by batch, until nothing is left. */
  const drain = async (): Promise<number> => {
    let taken = 0;
    for (let rounds = 0; rounds < 300; rounds++) {
      const bodies = sent.filter(({ queue }) => queue === 'hissaback-postbacks').splice(0, 100);
      if (bodies.length === 0) return taken;
      for (const body of bodies) sent.splice(sent.indexOf(body), 1);
      const { batch, messages } = batchOf(
        'hissaback-postbacks',
        bodies.map(({ body }) => body),
      );
      await consumePostbacks(batch, env, deps);
      for (const message of messages)
        if (message.said !== 'ack') sent.push({ queue: 'hissaback-postbacks', body: message.body });
      taken += bodies.length;
    }
    throw new Error('the queue did not drain');
  };
  /** Our reference of a click, as it travels through the network. */
  const referenceOf = (click: Click): Promise<string> =>
    encodeClickReference(keyringFrom(REFERENCE_KEYS, 'REFERENCE_KEYS'), click);
  /** A postback's message; every call is one of its own. */
  const message = async (click: Click | null, say: Record<string, string> = {}): Promise<PostbackMessage> => {
    on.clock.advance(1);
    return {
      kind: 'event',
      postback_id: String(mintId(on.clock, on.random)),
      source: 'postback',
      raw: {
        ...(click !== null && { click_id: await referenceOf(click) }),
        offer_id: String(on.offerId),
        sale_amount: '1000.00',
        status: 'approved',
        ...say,
      },
    };
  };
  return { env, deps, sent, objects, pages, failing, state, drain, referenceOf, message };
}

export type Worker = ReturnType<typeof worker>;

/** The network's list of conversions as `fetch` sees it, by the UTC day they were created, newest first. */
export function conversionList(rows: readonly Record<string, string | number | null>[]) {
  const asked: URL[] = [];
  const answer = async (text: string): Promise<Response> => {
    const url = new URL(text);
    asked.push(url);
    const query = url.searchParams;
    const [start = '', end = '', page = 1, limit = 100] = [
      query.get('start') ?? '',
      query.get('end') ?? '',
      Number(query.get('page')),
      Number(query.get('limit')),
    ];
    const day = (row: Record<string, string | number | null>): string => String(row.created).slice(0, 10);
    const matching = rows.filter((row) => day(row) >= start && day(row) <= end);
    return Response.json({
      conversions: matching.slice((page - 1) * limit, page * limit),
      pagination: { perPage: limit, currentPage: page, total: matching.length },
    });
  };
  return { asked, answer };
}
