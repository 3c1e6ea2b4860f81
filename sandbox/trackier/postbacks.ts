import { toMinor, wireNumber } from '../kit/decimal.ts';
import { type Clock, type Random, randomHex, sleep } from '../kit/time.ts';
import type { Conversion, Postback } from './model.ts';
import type { NetworkStore } from './store.ts';

/** How one postback differs from the plain one. */
export type PostbackShape = {
  /** Parameters left out altogether. */
  omit: string[];
  /** Parameters whose macro arrives unsubstituted. */
  verbatim: string[];
  /** Parameters whose macro was replaced by nothing. */
  empty: string[];
  /** Parameters with a text of their own. */
  override: Record<string, string>;
  client_ip: string | null;
  delay_ms: number;
};
export const PLAIN: PostbackShape = { omit: [], verbatim: [], empty: [], override: {}, client_ip: null, delay_ms: 0 };

/** A postback under way. */
export type Sending = { id: string; first: Promise<void>; done: Promise<void> };

export type SenderOptions = {
  store: NetworkStore;
  /** Where postbacks go; none are sent without. */
  webhookUrl: string | undefined;
  webhookToken: string | undefined;
  /** The wait before the first repetition, doubled before each further one (ms). */
  retryBaseMs: number;
  clock: Clock;
  random: Random;
};

const RETRIES = 5;
const MAX_AT_ONCE = 64;
const MAX_UNDER_WAY = 50_000;
const TIMEOUT_MS = 10_000;
const ANSWER_KEPT = 300;

/** The publisher's postback URL as it was entered at the network: parameter and macro. */
const TEMPLATE: Record<string, string> = {
  click_id: '{p1}',
  offer_id: '{campaign_id}',
  sale_amount: '{sale_amount}',
  status: '{status}',
  txn_id: '{txn_id}',
  payout: '{payout}',
  currency: '{currency}',
  goal_id: '{goal_id}',
  country: '{country}',
};

/** Sends postbacks and repeats refused and failed ones five times, also those that a restart interrupted. */
export class PostbackSender {
  readonly #options: SenderOptions;
  #stopping = new AbortController();
  readonly #waiting: (() => void)[] = [];
  #atOnce = 0;
  #underWay = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    for (const postback of options.store.postbacks())
      if (postback.state === 'pending') this.#start(postback.id, postback);
  }

  /** Fires a conversion's postback; `undefined` without an address, or with too many under way. */
  fire(conversion: Conversion, shape: PostbackShape): Sending | undefined {
    const { webhookUrl, store, random, clock } = this.#options;
    if (webhookUrl === undefined || this.#underWay >= MAX_UNDER_WAY) return undefined;
    const postback: Postback = {
      id: randomHex(random, 12),
      conversion_id: conversion._id,
      url: this.#url(webhookUrl, conversion, shape),
      client_ip: shape.client_ip,
      state: 'pending',
      attempts: [],
      due: new Date(clock.now() + shape.delay_ms).toISOString(),
    };
    store.savePostback(postback);
    return this.#start(postback.id, postback);
  }

  /** Gives up everything under way; what was pending stays pending in the store. */
  stop(): void {
    this.#stopping.abort();
    this.#stopping = new AbortController();
  }

  #start(id: string, postback: Postback): Sending {
    let reportFirst = () => {};
    const first = new Promise<void>((resolve) => {
      reportFirst = resolve;
    });
    const { signal } = this.#stopping;
    this.#underWay += 1;
    const done = this.#deliver(postback, reportFirst, signal)
      .catch((error: unknown) => {
        if (!signal.aborted)
          console.error(JSON.stringify({ level: 'error', sandbox: 'trackier', error: String(error) }));
      })
      .finally(() => {
        this.#underWay -= 1;
        reportFirst();
      });
    return { id, first, done };
  }

  async #deliver(start: Postback, reportFirst: () => void, stopped: AbortSignal): Promise<void> {
    const { clock, store, retryBaseMs } = this.#options;
    let postback = start;
    while (postback.state === 'pending') {
      await sleep(Date.parse(postback.due) - clock.now(), stopped);
      const attempt = await this.#inTurn(() => this.#attempt(postback, stopped));
      const attempts = [...postback.attempts, attempt];
      const delivered = attempt.status !== null && attempt.status >= 200 && attempt.status < 300;
      const state = delivered ? 'delivered' : attempts.length > RETRIES ? 'failed' : 'pending';
      const due = new Date(clock.now() + retryBaseMs * 2 ** (attempts.length - 1)).toISOString();
      postback = { ...postback, attempts, state, due };
      if (stopped.aborted) return;
      store.savePostback(postback);
      reportFirst();
    }
  }

  async #attempt(postback: Postback, stopped: AbortSignal) {
    stopped.throwIfAborted();
    const at = new Date(this.#options.clock.now()).toISOString();
    try {
      const response = await fetch(postback.url, {
        redirect: 'manual',
        headers: postback.client_ip === null ? {} : { 'cf-connecting-ip': postback.client_ip },
        signal: AbortSignal.any([stopped, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      return { at, status: response.status, answer: (await response.text()).slice(0, ANSWER_KEPT) };
    } catch (error) {
      return { at, status: null, answer: error instanceof Error ? error.name : 'failed' };
    }
  }

  /** Runs `act` when fewer than the most allowed are running. */
  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#atOnce >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#atOnce += 1;
    try {
      return await act();
    } finally {
      this.#atOnce -= 1;
      this.#waiting.shift()?.();
    }
  }

  #url(webhookUrl: string, conversion: Conversion, shape: PostbackShape): string {
    const values: Record<string, string> = {
      ...Object.fromEntries(
        Object.entries(conversion).map(([name, value]) => [name, value === null ? '' : String(value)]),
      ),
      payout: String(wireNumber(toMinor(conversion.payout) ?? 0n)),
    };
    const parameters = Object.entries(TEMPLATE).flatMap(([name, macro]) => {
      if (shape.omit.includes(name)) return [];
      if (shape.empty.includes(name)) return [`${name}=`];
      const text = shape.override[name] ?? (shape.verbatim.includes(name) ? macro : substitute(macro, values));
      return [`${name}=${text}`];
    });
    const { webhookToken } = this.#options;
    if (webhookToken !== undefined && !shape.omit.includes('token')) {
      parameters.push(`token=${shape.override.token ?? webhookToken}`);
    }
    return `${webhookUrl}${webhookUrl.includes('?') ? '&' : '?'}${parameters.join('&')}`;
  }
}

/** Replaces macros as text, without escaping; one that is not known stays as it is. */
function substitute(template: string, values: Record<string, string>): string {
  return template.replaceAll(/\{(\w+)\}/g, (macro, name: string) => values[name] ?? macro);
}

/** A postback as the control interface lists it, its token hidden. */
export function listedPostback(postback: Postback): Postback {
  return { ...postback, url: postback.url.replace(/([?&]token=)[^&]*/, '$1***') };
}
