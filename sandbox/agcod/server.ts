import { join } from 'node:path';
import { z } from 'zod';
import { BoundedList } from '../kit/bounded.ts';
import { fromMinor, toMinor } from '../kit/decimal.ts';
import { controlled, FaultQueue, faultRoutes } from '../kit/faults.ts';
import { type Answer, type Call, json, type ListenOptions, parseJson, type Routes, type Running, serve } from '../kit/http.ts';
import { RateWindow } from '../kit/rate.ts';
import { type Clock, type Random, sleep, systemClock, systemRandom } from '../kit/time.ts';
import { CardBook } from './cards.ts';
import {
  type AgcodError,
  errorAnswer,
  type Operation,
  serializationAnswer,
  throttlingAnswer,
  unknownOperationAnswer,
} from './errors.ts';
import { type AgcodFault, agcodFault } from './faults.ts';
import { mockAnswer } from './mocks.ts';
import { type Account, type Input, listedCard, perform } from './operations.ts';
import { type Credentials, checkSignature } from './signature.ts';

export type AgcodOptions = ListenOptions & {
  /** Directory of agcod-journal.jsonl. */
  dir: string;
  credentials: Credentials;
  partnerId: string;
  region?: string | undefined;
  currency?: string | undefined;
  /** Decimal text: the partner's balance at first start. */
  funds?: string | undefined;
  /** Decimal text: the most that one card may be worth. */
  maxAmount?: string | undefined;
  fractions?: boolean | undefined;
  /** Calls a second over all operations, and of GetAvailableFunds alone; 0 lifts the limit. */
  callsPerSecond?: number | undefined;
  fundsCallsPerSecond?: number | undefined;
  maxCards?: number | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
};

/** One call as the control interface lists it. */
type CallRecord = { op: Operation; creationRequestId: string | null; amount: string | null; at: string; outcome: string };

const CALLS_KEPT = 20_000;
const OPERATIONS: readonly Operation[] = ['CreateGiftCard', 'CancelGiftCard', 'GetAvailableFunds'];
const RESEND: AgcodError = {
  errorCode: 'F400',
  errorType: 'SystemTemporarilyUnavailable',
  message: 'System Temporarily Unavailable',
};

/** Starts a stand-in for Amazon's gift-code service. */
export async function startAgcod(options: AgcodOptions): Promise<Running> {
  const agcod = new Agcod(options);
  const running = await serve('agcod', agcod.routes(), options);
  return {
    ...running,
    close: async () => {
      await running.close();
      agcod.close();
    },
  };
}

class Agcod {
  readonly #account: Account;
  readonly #region: string;
  readonly #book: CardBook;
  readonly #faults = new FaultQueue<AgcodFault>();
  readonly #calls = new BoundedList<CallRecord>(CALLS_KEPT);
  readonly #rate: RateWindow;
  readonly #fundsRate: RateWindow;
  readonly #clock: Clock;
  readonly #initialCredentials: Credentials;
  #credentials: Credentials;
  #serviceOffset = 0;
  #cardsOffset = 0;

  constructor(options: AgcodOptions) {
    const source = options.clock ?? systemClock;
    this.#clock = { now: () => source.now() + this.#serviceOffset };
    this.#account = {
      partnerId: options.partnerId,
      currency: options.currency ?? 'INR',
      maxAmount: decimal(options.maxAmount ?? '10000.00'),
      fractions: options.fractions ?? false,
      maxCards: options.maxCards ?? 500_000,
    };
    this.#region = options.region ?? 'eu-west-1';
    this.#initialCredentials = options.credentials;
    this.#credentials = options.credentials;
    this.#rate = new RateWindow(options.callsPerSecond ?? 10, 1000, this.#clock);
    this.#fundsRate = new RateWindow(options.fundsCallsPerSecond ?? 1, 1000, this.#clock);
    const path = join(options.dir, 'agcod-journal.jsonl');
    this.#book = new CardBook(path, decimal(options.funds ?? '10000000.00'), options.random ?? systemRandom);
  }

  close(): void {
    this.#book.close();
  }

  routes(): Routes {
    const operations = OPERATIONS.map((operation) => [
      `POST /${operation}`,
      (call: Call) => this.#answer(operation, call),
    ]);
    return { ...Object.fromEntries(operations), ...this.#controlRoutes() };
  }

  async #answer(operation: Operation, call: Call): Promise<Answer> {
    const parsed = parseJson(call.body);
    const input: Input = isObject(parsed) ? parsed : {};
    const id = typeof input['creationRequestId'] === 'string' ? input['creationRequestId'].slice(0, 200) : null;
    const value = isObject(input['value']) ? input['value'] : {};
    const amount = typeof value['amount'] === 'number' ? String(value['amount']) : null;
    const at = new Date(this.#clock.now()).toISOString();
    const record: CallRecord = { op: operation, creationRequestId: id, amount, at, outcome: 'unanswered' };
    this.#calls.push(record);
    const { answer, holdMs } = this.#decide(operation, call, parsed, input, id);
    record.outcome = outcomeOf(answer);
    await sleep(holdMs, call.signal);
    return answer;
  }

  #decide(operation: Operation, call: Call, parsed: unknown, input: Input, id: string | null) {
    const at = (answer: Answer, holdMs = 0) => ({ answer, holdMs });
    if (call.headers['x-amz-target'] !== `com.amazonaws.agcod.AGCODService.${operation}`) {
      return at(unknownOperationAnswer());
    }
    const unsigned = checkSignature(call, this.#credentials, this.#region, this.#clock.now());
    if (unsigned !== undefined) return at(errorAnswer(operation, unsigned));
    if (!this.#withinRate(operation)) return at(throttlingAnswer());
    if (!isObject(parsed)) return at(serializationAnswer());
    const fault = this.#faults.take(
      (f) => (f.op ?? operation) === operation && (f.creationRequestId ?? id) === id,
    );
    return fault === undefined ? at(this.#perform(operation, input)) : at(this.#strike(fault, operation, input), fault.ms);
  }

  #strike(fault: AgcodFault, operation: Operation, input: Input): Answer {
    if (fault.kind === 'delay') return this.#perform(operation, input);
    if (fault.kind === 'refunded') return this.#refund(operation, input);
    if (fault.kind === 'drop-after' || fault.creates) this.#perform(operation, input);
    switch (fault.kind) {
      case 'drop-after':
      case 'drop-before':
        return 'drop';
      case 'throttle':
        return throttlingAnswer();
      case 'resend':
        return errorAnswer(operation, RESEND);
      case 'http-500':
        return { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>Internal Server Error</h1>' };
      case 'garbage':
        return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"cardInfo":{"cardNumber":null,"ca' };
      case 'error':
        return errorAnswer(operation, fault);
    }
  }

  /** The card is made and taken back before the answer. */
  #refund(operation: Operation, input: Input): Answer {
    const first = this.#perform(operation, input);
    const id = input['creationRequestId'];
    if (operation !== 'CreateGiftCard' || typeof id !== 'string' || this.#book.find(id) === undefined) return first;
    this.#book.cancel(id, this.#cardsNow());
    return this.#perform(operation, input);
  }

  #perform(operation: Operation, input: Input): Answer {
    const mock = operation === 'GetAvailableFunds' ? undefined : mockAnswer(operation, input['creationRequestId'], input['value']);
    return mock ?? perform(operation, input, this.#account, this.#book, this.#cardsNow());
  }

  #withinRate(operation: Operation): boolean {
    if (operation === 'GetAvailableFunds' && !this.#fundsRate.admit()) return false;
    return this.#rate.admit();
  }

  #cardsNow(): number {
    return this.#clock.now() + this.#cardsOffset;
  }

  #controlRoutes(): Routes {
    const offset = z.strictObject({
      offset_ms: z.number().int().min(-1e12).max(1e12),
      scope: z.enum(['service', 'cards']).default('service'),
    });
    const credentials = z.strictObject({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });
    return {
      ...faultRoutes(this.#faults, agcodFault),
      'GET /__control/cards': ({ url }) => {
        const wanted = url.searchParams.get('creationRequestId');
        const cards = this.#book.all().filter((card) => wanted === null || card.creationRequestId === wanted);
        return json(200, { cards: cards.map(listedCard), total: this.#book.size, funds: fromMinor(this.#book.funds) });
      },
      'GET /__control/calls': () => json(200, { calls: this.#calls.all() }),
      'POST /__control/funds': ({ body }) =>
        controlled(z.strictObject({ amount: decimalInput }), body, ({ amount }) => {
          this.#book.setFunds(amount, this.#cardsNow());
          return json(200, { funds: fromMinor(this.#book.funds) });
        }),
      'POST /__control/clock': ({ body }) =>
        controlled(offset, body, ({ offset_ms, scope }) => {
          if (scope === 'service') this.#serviceOffset = offset_ms;
          else this.#cardsOffset = offset_ms;
          return json(200, { service: this.#serviceOffset, cards: this.#cardsOffset });
        }),
      'POST /__control/credentials': ({ body }) =>
        controlled(credentials, body, (next) => {
          this.#credentials = next;
          return json(200, { accessKeyId: next.accessKeyId });
        }),
      'POST /__control/reset': () => {
        this.#serviceOffset = 0;
        this.#cardsOffset = 0;
        this.#credentials = this.#initialCredentials;
        this.#faults.clear();
        this.#calls.clear();
        this.#rate.clear();
        this.#fundsRate.clear();
        this.#book.reset(this.#clock.now());
        return json(200, { reset: true });
      },
    };
  }
}

const decimalInput = z.union([z.string(), z.number()]).transform((given, context) => {
  const minor = toMinor(String(given));
  if (minor !== undefined) return minor;
  context.addIssue({ code: 'custom', message: 'not a decimal amount' });
  return z.NEVER;
});

function decimal(text: string): bigint {
  const minor = toMinor(text);
  if (minor === undefined) throw new Error(`not a decimal amount: ${text}`);
  return minor;
}

function isObject(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `SUCCESS`, `SUCCESS RefundedToPurchaser`, `F200 MaxAmountExceeded`, `ThrottlingException`, `dropped`, ... */
function outcomeOf(answer: Answer): string {
  if (answer === 'drop') return 'dropped';
  const parsed = parseJson(Buffer.from(answer.body));
  const body: Input = isObject(parsed) ? parsed : {};
  if (typeof body['errorCode'] === 'string') return `${body['errorCode']} ${body['errorType']}`;
  if (typeof body['__type'] === 'string') return body['__type'].slice(body['__type'].indexOf('#') + 1);
  const cardInfo = isObject(body['cardInfo']) ? body['cardInfo'] : {};
  if (cardInfo['cardStatus'] === 'RefundedToPurchaser') return 'SUCCESS RefundedToPurchaser';
  return typeof body['status'] === 'string' ? body['status'] : `HTTP ${answer.status} unreadable`;
}
