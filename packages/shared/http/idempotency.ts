import type { Context, MiddlewareHandler } from 'hono';
import { sqlState } from '../db/client.ts';
import {
  answerIdempotencyKey,
  claimIdempotencyKey,
  findIdempotencyKey,
  releaseIdempotencyKey,
} from '../db/queries/idempotency.ts';
import type { Database, TransactionOptions, Tx } from '../db/types.ts';
import { encodeBase64url } from '../domain/base64url.ts';
import { keyringFrom } from '../domain/keyring.ts';
import type { Principal } from './auth.ts';
import { bytesReadFrom } from './body.ts';
import type { HttpVariables } from './context.ts';
import { invalidField, ProblemError } from './problem.ts';
import { type KeptAnswer, openAnswer, sealAnswer } from './sealed-answer.ts';

/** How long an answer is kept, in milliseconds. */
export const IDEMPOTENCY_LIFETIME_MS = 86_400_000;

const HEADER = 'Idempotency-Key';
/** 1 to 255 visible characters of ASCII. */
const KEY = /^[!-~]{1,255}$/;
/** How long a second request waits for the answer of the first one, in milliseconds, before it is told to come again. */
const PATIENCE_MS = 2_000;
const POLL_MS = 25;
const LOCK_NOT_AVAILABLE = '55P03';
/** Headers that belong to an answer; all others are made anew. */
const KEPT_HEADERS = ['content-type', 'link', 'location'];

type IdempotentEnv = { Bindings: { REFERENCE_KEYS: string }; Variables: HttpVariables & { db: Database } };

export type IdempotencyOptions = {
  /** Whether a key means anything to the route of a request. */
  isTaken: (method: string, path: string) => boolean;
  /** Waits for a number of milliseconds. */
  sleep?: (milliseconds: number) => Promise<void>;
};

const timerSleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Carries a request with an `Idempotency-Key` out once: the same principal's same key on the same path with the same query and body gets the same answer for a
 * day (fault 18). The key is taken in the first transaction of the work itself, so that there is no work without it and requests at the same time wait for
 * one another. A request that is refused, and with it undone, gives the key back.
 *
 * Work without a principal or without a transaction takes no key. Problems: `invalid_field` (422) for what is no key, `idempotency_mismatch` (422) for
 * another body, `idempotency_in_progress` (409) while the first request runs or if its worker died before the answer was kept.
 */
export function idempotency(options: IdempotencyOptions): MiddlewareHandler<IdempotentEnv> {
  return async (c, next) => {
    const key = c.req.header(HEADER);
    if (key === undefined || !options.isTaken(c.req.method, c.req.path)) return next();
    const once = new Once(c, key, options.sleep ?? timerSleep);
    c.set('db', once);
    await next();
    await once.settle();
  };
}

/** Thrown out of the work's transaction when another request has the key; nobody sees it. */
class Taken extends ProblemError {
  readonly answer: string | null;

  constructor(answer: string | null) {
    super('idempotency_in_progress', { headers: { 'retry-after': '1' } });
    this.answer = answer;
  }
}

/** A request's database whose first transaction takes the key. */
class Once implements Database {
  readonly #c: Context<IdempotentEnv>;
  readonly #db: Database;
  readonly #key: string;
  readonly #sleep: (milliseconds: number) => Promise<void>;
  /** Set once the key is ours for good. */
  #keyId: string | null = null;
  #kept: KeptAnswer | null = null;

  constructor(c: Context<IdempotentEnv>, key: string, sleep: (milliseconds: number) => Promise<void>) {
    this.#c = c;
    this.#db = c.var.db;
    this.#key = key;
    this.#sleep = sleep;
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T> {
    const principal: Principal | undefined = this.#c.var.principal;
    // Before there is a principal, authentication itself is asking.
    if (this.#keyId !== null || principal === undefined) return this.#db.transaction(work, options);
    if (!KEY.test(this.#key)) throw invalidField(HEADER, 'Must be 1 to 255 visible ASCII characters');
    const keyId = await hash(this.#scope(principal));
    const fingerprint = await hash(new URL(this.#c.req.url).search, bytesReadFrom(this.#c.req.raw));
    try {
      const result = await this.#db.transaction(async (tx) => {
        await this.#claim(tx, keyId, fingerprint);
        return work(tx);
      }, options);
      this.#keyId = keyId;
      return result;
    } catch (error) {
      if (error instanceof Taken) this.#kept = await this.#answerOf(error, keyId);
      throw error;
    }
  }

  end(): Promise<void> {
    return this.#db.end();
  }

  /** Keeps the answer that was given, gives the answer that was kept, or gives the key back. */
  async settle(): Promise<void> {
    if (this.#kept !== null) return this.#replay(this.#kept);
    const keyId = this.#keyId;
    if (keyId === null) return;
    const { res } = this.#c;
    // Of a failure nobody foresaw it is not known what it left behind: its key stays taken.
    if (res.status === 500) return;
    try {
      if (res.status >= 400) await this.#db.transaction((tx) => releaseIdempotencyKey(tx, { key_id: keyId }));
      else await this.#keep(keyId, res);
    } catch (failure) {
      this.#c.var.log.error('idempotency_answer_not_kept', { error: failure });
    }
  }

  /** Who asks, what for, and the key. */
  #scope({ role, sub, tenantId }: Principal): string {
    return JSON.stringify([role, sub, tenantId, this.#c.req.method, this.#c.req.path, this.#key]);
  }

  async #claim(tx: Tx, keyId: string, fingerprint: string): Promise<void> {
    const now = this.#c.var.clock.now();
    const params = { at: new Date(now), expires_at: new Date(now + IDEMPOTENCY_LIFETIME_MS) };
    const claim = await claimIdempotencyKey(tx, { key_id: keyId, fingerprint, ...params }).catch((error: unknown) => {
      if (sqlState(error) === LOCK_NOT_AVAILABLE) throw new Taken(null);
      throw error;
    });
    if (claim.claimed) return;
    if (claim.fingerprint !== fingerprint) {
      throw new ProblemError('idempotency_mismatch', { detail: 'Use a new key for another request.' });
    }
    throw new Taken(claim.answer);
  }

  /** The answer of the request that has the key, waiting for it a while; null if it is still running, or gave the key back. */
  async #answerOf(taken: Taken, keyId: string): Promise<KeptAnswer | null> {
    let sealed = taken.answer;
    for (let waited = 0; sealed === null && waited < PATIENCE_MS; waited += POLL_MS) {
      await this.#sleep(POLL_MS);
      const held = await this.#db.transaction((tx) => findIdempotencyKey(tx, { key_id: keyId }));
      if (held === null) return null;
      sealed = held.answer;
    }
    return sealed === null ? null : openAnswer(sealed, keyId, this.#ring());
  }

  async #keep(keyId: string, res: Response): Promise<void> {
    const headers: Record<string, string> = {};
    for (const name of KEPT_HEADERS) {
      const value = res.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    const answer = { status: res.status, headers, body: await res.clone().text() };
    const sealed = await sealAnswer(answer, keyId, this.#ring(), this.#c.var.random);
    await this.#db.transaction((tx) => answerIdempotencyKey(tx, { key_id: keyId, answer: sealed }));
  }

  #replay({ status, headers, body }: KeptAnswer): void {
    this.#c.res = undefined;
    this.#c.res = new Response(body, { status, headers: { ...headers, 'idempotency-replayed': 'true' } });
  }

  #ring() {
    return keyringFrom(this.#c.env.REFERENCE_KEYS, 'REFERENCE_KEYS');
  }
}

async function hash(text: string, bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)): Promise<string> {
  const head = new TextEncoder().encode(`${text}\n`);
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', whole)));
}
