// The types of `cloudflare:test`; this file runs inside the Workers runtime.
/// <reference types="@cloudflare/vitest-plugin/types" />
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { ClickMessage } from '@hissaback/shared/contracts/click-message';
import { type PublishedLink, publishedLinkKey } from '@hissaback/shared/contracts/published-link';
import { type FixedClock, fixedClock, seededRandom } from '@hissaback/shared/domain/chance.fake';
import { type VerifiedClickReference, verifyClickReference } from '@hissaback/shared/domain/click-reference';
import { type Keyring, parseKeyring } from '@hissaback/shared/domain/keyring';
import { createApp } from './app.ts';

export const NOW = Date.parse('2026-10-15T12:00:00Z');
export const PERSON = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36';
export const LINK: PublishedLink = {
  v: 1,
  id: '11111111-1111-4111-8111-111111111111',
  t: '22222222-2222-4222-8222-222222222222',
  u: 'https://demo.gotrackier.com/click?campaign_id=42&pub_id=7',
  s: 'active',
};

/** The worker's application on a stage where clock, KV and queue can be made to misbehave. */
export type Stage = {
  clock: FixedClock;
  env: RedirectEnv;
  references: Keyring;
  visitors: Keyring;
  /** Clicks the queue has accepted. */
  clicks: ClickMessage[];
  /** Sizes of the batches the queue was offered. */
  batches: number[];
  /** Number of reads KV was asked for. */
  reads(): number;
  /** Set to make the next `n` reads or sends fail. */
  failing: { kv: number; queue: number };
  publish(link: Partial<PublishedLink>, at?: { slug?: string; host?: string | null }): Promise<PublishedLink>;
  remove(slug: string): Promise<void>;
  /** One request, after whose answer everything in `waitUntil` has ended. */
  follow(path: string, init?: RequestInit & { origin?: string }): Promise<Response>;
  /** As `follow`, but answers before the clicks are flushed. */
  request(
    path: string,
    init?: RequestInit & { origin?: string },
  ): { answer: Promise<Response>; settled: Promise<void> };
};

export function stage(): Stage {
  const clock = fixedClock(NOW);
  const app = createApp({ clock, random: seededRandom(7) });
  const values = new Map<string, string>();
  const clicks: ClickMessage[] = [];
  const batches: number[] = [];
  const failing = { kv: 0, queue: 0 };
  let reads = 0;
  const links = {
    get: async (key: string) => {
      reads++;
      if (failing.kv-- > 0) throw new Error('KV GET failed: 500 Internal Server Error');
      return values.get(key) ?? null;
    },
  };
  const queue = {
    sendBatch: async (batch: Iterable<{ body: ClickMessage }>) => {
      const bodies = [...batch].map((message) => message.body);
      batches.push(bodies.length);
      if (failing.queue-- > 0) throw new Error('Queue sendBatch failed: Too Many Requests');
      clicks.push(...bodies);
    },
  };
  const stageEnv = { ...env, LINKS: links, CLICKS: queue } as unknown as RedirectEnv;

  const request: Stage['request'] = (path, { origin = 'https://hissaback.test', ...init } = {}) => {
    const context = createExecutionContext();
    const headers = new Headers(init.headers);
    if (!headers.has('User-Agent')) headers.set('User-Agent', PERSON);
    const answer = Promise.resolve(app.fetch(new Request(origin + path, { ...init, headers }), stageEnv, context));
    return { answer, settled: answer.then(() => waitOnExecutionContext(context)) };
  };

  return {
    clock,
    env: stageEnv,
    references: parseKeyring(stageEnv.REFERENCE_KEYS, 'REFERENCE_KEYS'),
    visitors: parseKeyring(stageEnv.VISITOR_KEYS, 'VISITOR_KEYS'),
    clicks,
    batches,
    reads: () => reads,
    failing,
    request,
    async publish(link, { slug = 'demo', host = null } = {}) {
      const published = { ...LINK, ...link };
      values.set(publishedLinkKey(host, slug), JSON.stringify(published));
      return published;
    },
    async remove(slug) {
      values.delete(publishedLinkKey(null, slug));
    },
    async follow(path, init) {
      const { answer, settled } = request(path, init);
      await settled;
      return answer;
    },
  };
}

/** The `Location` of an answer, parsed. */
export function locationOf(answer: Response): URL {
  return new URL(answer.headers.get('Location') ?? '');
}

/** What the reference in an answer's `Location` says. */
export function referenceOf(on: Stage, answer: Response): Promise<VerifiedClickReference> {
  return verifyClickReference(on.references, locationOf(answer).searchParams.get('p1') ?? '', on.clock.now());
}

/** The value of the visitor cookie an answer sets, or null. */
export function cookieOf(answer: Response): string | null {
  return /^hb_v=([^;]+)/.exec(answer.headers.get('Set-Cookie') ?? '')?.[1] ?? null;
}
