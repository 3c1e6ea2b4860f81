import { join } from 'node:path';
import { BoundedList } from '../kit/bounded.ts';
import { toMinor } from '../kit/decimal.ts';
import { FaultQueue } from '../kit/faults.ts';
import {
  type Answer,
  type Call,
  type ListenOptions,
  parseJson,
  type Routes,
  type Running,
  serve,
} from '../kit/http.ts';
import { RateWindow } from '../kit/rate.ts';
import { type Clock, type Random, sleep, systemClock, systemRandom } from '../kit/time.ts';
import { CardBook } from './cards.ts';
import { type CallRecord, controlRoutes } from './control.ts';
import {
  type AgcodError,
  errorAnswer,
  type Operation,
  serializationAnswer,
  throttlingAnswer,
  unknownOperationAnswer,
} from './errors.ts';
import type { AgcodFault } from './faults.ts';
import { mockAnswer } from './mocks.ts';
import { type Account, type Input, perform } from './operations.ts';
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
  #offsets = { service: 0, cards: 0 };

  constructor(options: AgcodOptions) {
    const source = options.clock ?? systemClock;
    this.#clock = { now: () => source.now() + this.#offsets.service };
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
    const control = controlRoutes({
      faults: this.#faults,
      calls: this.#calls,
      book: this.#book,
      now: () => this.#cardsNow(),
      moveClock: (scope, offsetMs) => {
        this.#offsets = { ...this.#offsets, [scope]: offsetMs };
        return this.#offsets;
      },
      rotate: (credentials) => {
        this.#credentials = credentials;
      },
      reset: () => this.#reset(),
    });
    return { ...Object.fromEntries(operations), ...control };
  }

  async #answer(operation: Operation, call: Call): Promise<Answer> {
    const parsed = parseJson(call.body);
    const input: Input = isObject(parsed) ? parsed : {};
    const id = typeof input.creationRequestId === 'string' ? input.creationRequestId.slice(0, 200) : null;
    const value = isObject(input.value) ? input.value : {};
    const amount = typeof value.amount === 'number' ? String(value.amount) : null;
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
    const fault = this.#faults.take((f) => isFor(f, operation) && (f.creationRequestId ?? id) === id);
    return fault === undefined
      ? at(this.#perform(operation, input))
      : at(this.#strike(fault, operation, input), fault.ms);
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
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: '{"cardInfo":{"cardNumber":null,"ca',
        };
      case 'error':
        return errorAnswer(operation, fault);
    }
  }

  /** The card is made and taken back before the answer. */
  #refund(operation: Operation, input: Input): Answer {
    const first = this.#perform(operation, input);
    const id = input.creationRequestId;
    if (operation !== 'CreateGiftCard' || typeof id !== 'string' || this.#book.find(id) === undefined) return first;
    this.#book.cancel(id, this.#cardsNow());
    return this.#perform(operation, input);
  }

  #perform(operation: Operation, input: Input): Answer {
    const mock =
      operation === 'GetAvailableFunds' ? undefined : mockAnswer(operation, input.creationRequestId, input.value);
    return mock ?? perform(operation, input, this.#account, this.#book, this.#cardsNow());
  }

  #withinRate(operation: Operation): boolean {
    if (operation === 'GetAvailableFunds' && !this.#fundsRate.admit()) return false;
    return this.#rate.admit();
  }

  #cardsNow(): number {
    return this.#clock.now() + this.#offsets.cards;
  }

  #reset(): void {
    this.#offsets = { service: 0, cards: 0 };
    this.#credentials = this.#initialCredentials;
    this.#faults.clear();
    this.#calls.clear();
    this.#rate.clear();
    this.#fundsRate.clear();
    this.#book.reset(this.#clock.now());
  }
}

/** The balance is asked for all the time: only a fault that names that operation strikes there. */
function isFor(fault: AgcodFault, operation: Operation): boolean {
  return fault.op === undefined ? operation !== 'GetAvailableFunds' : fault.op === operation;
}

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
  if (typeof body.errorCode === 'string') return `${body.errorCode} ${body.errorType}`;
  if (typeof body.__type === 'string') return body.__type.slice(body.__type.indexOf('#') + 1);
  const cardInfo = isObject(body.cardInfo) ? body.cardInfo : {};
  if (cardInfo.cardStatus === 'RefundedToPurchaser') return 'SUCCESS RefundedToPurchaser';
  return typeof body.status === 'string' ? body.status : `HTTP ${answer.status} unreadable`;
}
