import { type PublishedLink, parsePublishedLink } from '@hissaback/shared/contracts/published-link';
import type { Clock } from '@hissaback/shared/domain/chance';
import { prepareTarget, type Target } from '@hissaback/shared/domain/smart-link';
import { withDeadline } from './deadline.ts';
import { logError } from './log.ts';

const MAX_ENTRIES = 2_000;
const FRESH_MS = 30_000;
const STALE_MS = 10 * 60_000;
const REFRESH_LEASE_MS = 1_000;
const READ_DEADLINE_MS = 2_000;

/** A link with its target URLs prepared on first use. */
export type CachedLink = { link: PublishedLink; target(trackingUrl: string): Target };

export type Lookup = { state: 'found'; cached: CachedLink } | { state: 'unknown' } | { state: 'unavailable' };

type Entry = { found: Lookup; loadedAt: number; freshUntil: number };

/**
 * Links this isolate has seen, in front of KV: bounded, fresh for 30 seconds, and served for up to 10 minutes while KV fails.
 * A missing slug is not remembered: it would hide a new link.
 */
export class LinkCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known of a key and fresh, without a wait; else undefined. */
  fresh(key: string): Lookup | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.freshUntil ? entry.found : undefined;
  }

  /** Looks a key up, through `read` if it is not fresh. Only a hit is kept. */
  async find(key: string, read: () => Promise<string | null>): Promise<Lookup> {
    const now = this.#clock.now();
    const entry = this.#entries.get(key);
    if (entry !== undefined && now < entry.freshUntil) return entry.found;
    // One request reads again; those that meet the entry meanwhile use it as it is.
    if (entry !== undefined) entry.freshUntil = now + REFRESH_LEASE_MS;
    try {
      const text = await withDeadline(read(), READ_DEADLINE_MS);
      this.#entries.delete(key);
      if (text === null) return { state: 'unknown' };
      const link = parsePublishedLink(text);
      if (link === null) throw new Error('not a published link');
      return this.#keep(key, link, now);
    } catch (error) {
      logError('link_read_failed', { key, message: error instanceof Error ? error.message : 'unknown' });
      if (entry === undefined || now - entry.loadedAt > STALE_MS) return { state: 'unavailable' };
      this.#entries.set(key, entry);
      return entry.found;
    }
  }

  #keep(key: string, link: PublishedLink, now: number): Lookup {
    if (this.#entries.size >= MAX_ENTRIES) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    const found: Lookup = { state: 'found', cached: prepare(link) };
    this.#entries.set(key, { found, loadedAt: now, freshUntil: now + FRESH_MS });
    return found;
  }
}

function prepare(link: PublishedLink): CachedLink {
  const targets = new Map<string, Target>();
  return {
    link,
    target(trackingUrl) {
      let target = targets.get(trackingUrl);
      if (target === undefined) {
        target = prepareTarget(trackingUrl, { ...link.sub, ...link.utm });
        targets.set(trackingUrl, target);
      }
      return target;
    },
  };
}
