import { join } from 'node:path';
import { z } from 'zod';
import { controlled, FaultQueue, faultRoutes, faultTiming } from '../kit/faults.ts';
import {
  type Answer,
  type Call,
  html,
  json,
  type ListenOptions,
  type Routes,
  type Running,
  serve,
} from '../kit/http.ts';
import { RateWindow } from '../kit/rate.ts';
import { type Clock, type Random, randomHex, sleep, systemClock, systemRandom } from '../kit/time.ts';
import { campaignUpdate, conversionUpdate } from './control.ts';
import { campaignsError, conversionsError, plainError, rateLimitError } from './errors.ts';
import { campaignsPage, conversionsPage, dailyCsv, publisherParameters } from './lists.ts';
import type { Conversion, Postback } from './model.ts';
import { listedPostback, PLAIN, PostbackSender, type Sending } from './postbacks.ts';
import { Sales } from './sales.ts';
import { boughtPage, readPurchase, shopPage, unavailablePage } from './shop.ts';
import { NetworkStore } from './store.ts';

export type TrackierOptions = ListenOptions & {
  /** Directory of trackier.jsonl. */
  dir: string;
  /** The account's key: it sees the conversions of every publisher. */
  apiKey: string;
  /** The publisher id that tracking links carry. */
  publisherId: string;
  webhookUrl?: string | undefined;
  webhookToken?: string | undefined;
  retryBaseMs?: number | undefined;
  /** Calls a second to the campaigns; 0 lifts the limit. */
  callsPerSecond?: number | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
};

const trackierFault = z.strictObject({
  ...faultTiming,
  endpoint: z.enum(['campaigns', 'conversions', 'csv']),
  kind: z.enum(['http-500', 'error', 'delay', 'truncate', 'rate-limit']),
  /** HTTP status of kind `error`; the network has been seen to say `success: false` under 200 as well. */
  status: z.number().int().min(200).max(599).default(400),
});
type TrackierFault = z.output<typeof trackierFault>;
type Endpoint = TrackierFault['endpoint'];

const ERROR_OF: Record<Endpoint, (status: number, message: string) => Answer> = {
  campaigns: campaignsError,
  conversions: conversionsError,
  csv: plainError,
};

/** Starts a stand-in for the affiliate network, its tracking links and the shops behind them. */
export async function startTrackier(options: TrackierOptions): Promise<Running> {
  const trackier = new Trackier(options);
  const running = await serve('trackier', trackier.routes(), options);
  trackier.url = running.url;
  return {
    ...running,
    close: async () => {
      trackier.stop();
      await running.close();
      trackier.close();
    },
  };
}

class Trackier {
  url = '';
  readonly #options: TrackierOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #store: NetworkStore;
  readonly #sales: Sales;
  readonly #sender: PostbackSender;
  readonly #rate: RateWindow;
  readonly #faults = new FaultQueue<TrackierFault>();

  constructor(options: TrackierOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#rate = new RateWindow(options.callsPerSecond ?? 5, 1000, this.#clock);
    this.#store = new NetworkStore(join(options.dir, 'trackier.jsonl'));
    this.#sales = new Sales(this.#store, options.publisherId, this.#clock, this.#random);
    this.#sender = new PostbackSender({
      store: this.#store,
      webhookUrl: options.webhookUrl,
      webhookToken: options.webhookToken,
      retryBaseMs: options.retryBaseMs ?? 2000,
      clock: this.#clock,
      random: this.#random,
    });
  }

  stop(): void {
    this.#sender.stop();
  }

  close(): void {
    this.#store.close();
  }

  routes(): Routes {
    return {
      'GET /v2/publisher/campaigns': (call) =>
        this.#list('campaigns', call, (query) => campaignsPage(query, this.#store, (id) => this.#trackingLink(id))),
      'GET /v2/publishers/conversions': (call) =>
        this.#list('conversions', call, (query) => conversionsPage(query, this.#store)),
      'GET /daily.csv': (call) => this.#list('csv', call, (query) => dailyCsv(query, this.#store)),
      'GET /click': (call) => this.#click(call),
      'POST /buy': (call) => this.#buy(call),
      ...this.#controlRoutes(),
    };
  }

  async #list(endpoint: Endpoint, call: Call, answer: (query: URLSearchParams) => Answer): Promise<Answer> {
    const query = call.url.searchParams;
    const key = endpoint === 'csv' ? query.get('key') : (call.headers['x-api-key'] ?? query.get('apiKey'));
    if (key !== this.#options.apiKey) return ERROR_OF[endpoint](401, 'Invalid API key');
    if (endpoint === 'campaigns' && !this.#rate.admit()) return rateLimitError();
    const fault = this.#faults.take((queued) => queued.endpoint === endpoint);
    if (fault === undefined) return answer(query);
    await sleep(fault.ms, call.signal);
    switch (fault.kind) {
      case 'delay':
        return answer(query);
      case 'http-500':
        return { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>500 Internal Server Error</h1>' };
      case 'error':
        return ERROR_OF[endpoint](fault.status, 'Something went wrong');
      case 'rate-limit':
        return rateLimitError();
      case 'truncate':
        return truncated(answer(query));
    }
  }

  #click({ url, headers }: Call): Answer {
    const query = url.searchParams;
    const campaign = this.#store.campaign(Number(query.get('campaign_id')));
    const publisherId = query.get('pub_id') ?? '';
    if (campaign === undefined || campaign.status !== 'active' || publisherId === '')
      return html(404, unavailablePage());
    const country = headers['cf-ipcountry'];
    const click = this.#sales.recordClick(
      campaign,
      publisherId.slice(0, 100),
      publisherParameters(query),
      String(country ?? 'IN'),
    );
    return html(200, shopPage(campaign, click, `SB-${randomHex(this.#random, 5).toUpperCase()}`));
  }

  async #buy(call: Call): Promise<Answer> {
    const bought = readPurchase(call);
    if (typeof bought === 'string') return json(400, { error: bought });
    const click = this.#sales.clickOf(bought);
    if (typeof click === 'string') return json(400, { error: click });
    const campaign = this.#store.campaign(click.campaign_id);
    if (campaign === undefined) return json(400, { error: 'the campaign is gone' });
    const conversion = this.#sales.convert(bought, click, campaign);
    const sendings: Sending[] = [];
    if (bought.send ?? conversion.status === 'approved') {
      for (let copy = 0; copy <= bought.duplicate; copy++) {
        const sending = this.#sender.fire(conversion, bought);
        if (sending !== undefined) sendings.push(sending);
      }
    }
    if (bought.wait === true) await Promise.all(sendings.map(({ done }) => done));
    if (bought.wait === undefined) await Promise.all(sendings.map(({ first }) => first));
    const postbacks = this.#listPostbacks(sendings);
    if (call.headers.accept?.includes('text/html')) return html(200, boughtPage(conversion, postbacks));
    return json(200, { conversion, postbacks });
  }

  #controlRoutes(): Routes {
    return {
      ...faultRoutes(this.#faults, trackierFault),
      'GET /__control/conversions': () => json(200, { conversions: this.#store.conversions() }),
      'POST /__control/conversions/:id': ({ params, body }) =>
        controlled(conversionUpdate, body, async ({ postback, ...changes }) => {
          const before = this.#store.conversion(params.id ?? '');
          if (before === undefined) return json(404, { error: 'no such conversion' });
          const given = Object.entries(changes).filter(([, value]) => value !== undefined);
          const conversion: Conversion = { ...before, ...Object.fromEntries(given), modified: this.#now() };
          this.#store.saveConversion(conversion);
          const sending = postback ? this.#sender.fire(conversion, PLAIN) : undefined;
          await sending?.first;
          return json(200, { conversion, postbacks: this.#listPostbacks(sending === undefined ? [] : [sending]) });
        }),
      'GET /__control/postbacks': () => json(200, { postbacks: this.#store.postbacks().map(listedPostback) }),
      'POST /__control/campaigns': ({ body }) =>
        controlled(campaignUpdate, body, ({ upsert, remove }) => {
          for (const campaign of upsert) {
            if (!this.#store.saveCampaign(campaign)) return json(409, { error: 'too many campaigns' });
          }
          for (const id of remove) this.#store.removeCampaign(id);
          return json(200, { campaigns: this.#store.campaigns() });
        }),
      'POST /__control/reset': () => {
        this.#faults.clear();
        this.#rate.clear();
        this.#sender.stop();
        this.#store.reset();
        return json(200, { reset: true });
      },
    };
  }

  #listPostbacks(sendings: Sending[]): Postback[] {
    const ids = new Set(sendings.map(({ id }) => id));
    if (ids.size === 0) return [];
    return this.#store
      .postbacks()
      .filter(({ id }) => ids.has(id))
      .map(listedPostback);
  }

  #trackingLink(id: number): string {
    return `${this.url}/click?campaign_id=${id}&pub_id=${encodeURIComponent(this.#options.publisherId)}`;
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

/** A complete answer whose body stops half-way, as a broken export does. */
function truncated(answer: Answer): Answer {
  return answer === 'drop' ? answer : { ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) };
}
