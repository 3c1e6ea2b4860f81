import { z } from 'zod';
import { controlled, FaultQueue, faultRoutes, faultTiming } from '../kit/faults.ts';
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
import { type Message, MessageBook } from './messages.ts';
import { DELIVERED, FAILED, type Fate, Reporter, type ReportTarget } from './reports.ts';
import { readRequest, type SmsRequest, toE164 } from './request.ts';

export type SmsOptions = ListenOptions & {
  /** Directory of sms-messages.jsonl. */
  dir: string;
  authKey: string;
  /** Where delivery reports go. */
  reports?: ReportTarget | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
};

const smsFault = z.strictObject({
  ...faultTiming,
  kind: z.enum(['http-500', 'error', 'delay', 'drop-after', 'drop-before', 'undelivered', 'unreported']),
  /** Only messages to this number. */
  to: z.string().optional(),
});
type SmsFault = z.output<typeof smsFault>;

const word = z.string().max(100);
/** A report as somebody says it: on the newest message to a number, or with a reference. */
const wantedReport = z
  .strictObject({ to: z.string().optional(), reference: z.string().optional(), status: word, desc: word.default('') })
  .refine(({ to, reference }) => to !== undefined || reference !== undefined, 'name a number or a reference');

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
  readonly #reporter: Reporter;

  constructor(options: SmsOptions) {
    this.#authKey = options.authKey;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#book = new MessageBook(options.dir);
    this.#reporter = new Reporter(options.reports ?? {});
  }

  close(): void {
    this.#reporter.close();
    this.#book.close();
  }

  routes(): Routes {
    return {
      'POST /api/v5/flow': (call) => this.#send(call, 'flow'),
      'POST /api/v5/otp': (call) => this.#send(call, 'otp'),
      'GET /messages': ({ url }) => {
        const found = this.#messagesTo(url.searchParams.get('to'));
        return json(
          200,
          found.map(({ to, text, at, kind }) => ({ to, text, at, kind })),
        );
      },
      'GET /__control/messages': ({ url }) => json(200, this.#messagesTo(url.searchParams.get('to'))),
      'POST /__control/reports': ({ body }) =>
        controlled(wantedReport, body, ({ to, reference, status, desc }) => {
          const message = this.#book
            .of(to === undefined ? undefined : toE164(to))
            .findLast((each) => reference === undefined || each.reference === reference);
          if (message === undefined) return json(404, { error: 'no such message' });
          this.#reporter.add(message, { status, desc }, new Date(this.#clock.now()));
          return json(200, { reported: message.id });
        }),
      'GET /': () => html(200, inboxPage(this.#book.of(undefined))),
      ...faultRoutes(this.#faults, smsFault),
      'POST /__control/reset': () => {
        this.#faults.clear();
        this.#book.clear();
        return json(200, { reset: true });
      },
    };
  }

  #messagesTo(to: string | null): Message[] {
    if (to === null) return this.#book.of(undefined);
    const number = toE164(to);
    return number === undefined ? [] : this.#book.of(number);
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
    if (fault.kind === 'undelivered' || fault.kind === 'unreported') {
      await sleep(fault.ms, signal);
      return this.#take(request, defaultKind, fault.kind === 'undelivered' ? FAILED : null);
    }
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

  /** Takes the messages, and reports what becomes of them (nothing for null); a `reference` seen before is no reason not to. */
  #take(request: SmsRequest, defaultKind: string, fate: Fate | null = DELIVERED): Answer {
    const id = randomHex(this.#random, 12);
    const now = new Date(this.#clock.now());
    for (const { to, text } of request.messages) {
      const { templateId, sender, reference } = request;
      const message: Message = {
        id,
        to,
        text,
        at: now.toISOString(),
        kind: request.kind ?? defaultKind,
        template_id: templateId,
        sender,
        reference,
      };
      this.#book.add(message);
      if (fate !== null) this.#reporter.add(message, fate, now);
    }
    return json(200, { type: 'success', message: id });
  }
}
