import { z } from 'zod';
import { FaultQueue, faultRoutes, faultTiming } from '../kit/faults.ts';
import {
  type Answer,
  type Call,
  html,
  json,
  type ListenOptions,
  parseJson,
  type Routes,
  type Running,
  serve,
} from '../kit/http.ts';
import { type Clock, type Random, randomHex, sleep, systemClock, systemRandom } from '../kit/time.ts';
import { inboxPage } from './inbox.ts';
import { MessageBook } from './messages.ts';
import { readRequest, type SmsRequest, toE164 } from './request.ts';

export type SmsOptions = ListenOptions & {
  /** Directory of sms-messages.jsonl. */
  dir: string;
  authKey: string;
  clock?: Clock | undefined;
  random?: Random | undefined;
};

const smsFault = z.strictObject({
  ...faultTiming,
  kind: z.enum(['http-500', 'error', 'delay', 'drop-after', 'drop-before']),
  /** Only messages to this number. */
  to: z.string().optional(),
});
type SmsFault = z.output<typeof smsFault>;

/** Starts a stand-in for an Indian SMS gateway. */
export async function startSms(options: SmsOptions): Promise<Running> {
  const sms = new Sms(options);
  const running = await serve('sms', sms.routes(), options);
  return {
    ...running,
    close: async () => {
      await running.close();
      sms.close();
    },
  };
}

class Sms {
  readonly #authKey: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #book: MessageBook;
  readonly #faults = new FaultQueue<SmsFault>();

  constructor(options: SmsOptions) {
    this.#authKey = options.authKey;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#book = new MessageBook(options.dir);
  }

  close(): void {
    this.#book.close();
  }

  routes(): Routes {
    return {
      'POST /api/v5/flow': (call) => this.#send(call, 'flow'),
      'POST /api/v5/otp': (call) => this.#send(call, 'otp'),
      'GET /messages': ({ url }) => {
        const to = url.searchParams.get('to');
        if (to === null) return json(200, this.#book.of(undefined));
        const number = toE164(to);
        return json(200, number === undefined ? [] : this.#book.of(number));
      },
      'GET /': () => html(200, inboxPage(this.#book.of(undefined))),
      ...faultRoutes(this.#faults, smsFault),
      'POST /__control/reset': () => {
        this.#faults.clear();
        this.#book.clear();
        return json(200, { reset: true });
      },
    };
  }

  async #send({ headers, body, signal }: Call, defaultKind: string): Promise<Answer> {
    if (headers.authkey !== this.#authKey) return json(401, { type: 'error', message: 'Authentication failure' });
    const request = readRequest(parseJson(body));
    if (typeof request === 'string') return json(400, { type: 'error', message: request });
    const fault = this.#faults.take(
      ({ to }) => to === undefined || request.messages.some((message) => message.to === toE164(to)),
    );
    if (fault === undefined) return this.#take(request, defaultKind);
    if (fault.kind === 'drop-before') return 'drop';
    if (fault.kind === 'delay' || fault.kind === 'drop-after') {
      const accepted = this.#take(request, defaultKind);
      await sleep(fault.ms, signal);
      return fault.kind === 'delay' ? accepted : 'drop';
    }
    await sleep(fault.ms, signal);
    // The gateway reports many refusals under status 200: only `type` tells.
    return fault.kind === 'error'
      ? json(200, { type: 'error', message: 'Something went wrong' })
      : { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>500 Internal Server Error</h1>' };
  }

  /** Takes the messages; a `reference` seen before is no reason not to. */
  #take(request: SmsRequest, defaultKind: string): Answer {
    const id = randomHex(this.#random, 12);
    const at = new Date(this.#clock.now()).toISOString();
    for (const { to, text } of request.messages) {
      const { templateId, sender, reference } = request;
      this.#book.add({
        id,
        to,
        text,
        at,
        kind: request.kind ?? defaultKind,
        template_id: templateId,
        sender,
        reference,
      });
    }
    return json(200, { type: 'success', message: id });
  }
}
