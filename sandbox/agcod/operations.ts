import { toMinor, wireNumber } from '../kit/decimal.ts';
import { type Answer, json } from '../kit/http.ts';
import type { Card, CardBook } from './cards.ts';
import { AGCOD_ERRORS, type AgcodError, errorAnswer, type Operation, serializationAnswer } from './errors.ts';

/** The partner account that the operations run under; `maxAmount` in hundredths. */
export type Account = {
  partnerId: string;
  currency: string;
  maxAmount: bigint;
  /** Whether an amount may carry decimals (at most two), or must be whole. */
  fractions: boolean;
  maxCards: number;
};
export type Input = Record<string, unknown>;

const CANCEL_WINDOW_MS = 15 * 60 * 1000;
const VALIDITY_MS = 365 * 24 * 3600 * 1000;
const MAX_REQUEST_ID = 40;
const MAX_EXTERNAL_REFERENCE = 100;

/** Runs one operation at `now` (ms epoch). */
export function perform(operation: Operation, input: Input, account: Account, book: CardBook, now: number): Answer {
  const refused = checkPartner(input, account);
  if (refused !== undefined) return errorAnswer(operation, refused);
  if (operation === 'CreateGiftCard') return create(input, account, book, now);
  if (operation === 'CancelGiftCard') return cancel(input, book, now);
  const availableFunds = { amount: wireNumber(book.funds), currencyCode: account.currency };
  return json(200, { availableFunds, status: 'SUCCESS', timestamp: timestamp(now) });
}

function create(input: Input, account: Account, book: CardBook, now: number): Answer {
  const id = input.creationRequestId;
  if (id !== undefined && id !== null && typeof id !== 'string') return serializationAnswer();
  const refuse = (error: AgcodError) => errorAnswer('CreateGiftCard', error);
  const idProblem = checkRequestId(id ?? '', account.partnerId);
  if (idProblem !== undefined) return refuse(idProblem);
  const money = readMoney(input.value, account);
  if (money === 'malformed') return serializationAnswer();
  if ('errorCode' in money) return refuse(money);
  const reference = input.externalReference;
  if (typeof reference === 'string' && reference.length > MAX_EXTERNAL_REFERENCE) {
    return refuse(AGCOD_ERRORS.externalReference);
  }
  const existing = book.find(id ?? '');
  if (existing !== undefined) {
    const same = existing.amount === money.amount && existing.currency === money.currency;
    return same ? cardAnswer(existing) : refuse(AGCOD_ERRORS.denominationMismatch);
  }
  if (money.amount > book.funds) return refuse(AGCOD_ERRORS.insufficientFunds);
  if (book.size >= account.maxCards) return refuse(AGCOD_ERRORS.issuanceCap);
  return cardAnswer(book.create(id ?? '', money.amount, money.currency, now));
}

function cancel(input: Input, book: CardBook, now: number): Answer {
  const { creationRequestId, gcId } = input;
  const refuse = (error: AgcodError) => errorAnswer('CancelGiftCard', error);
  if (typeof creationRequestId !== 'string' || creationRequestId === '') return refuse(AGCOD_ERRORS.requestIdInvalid);
  if (typeof gcId !== 'string' || gcId === '') return refuse(AGCOD_ERRORS.gcIdNull);
  const card = book.find(creationRequestId);
  if (card === undefined || card.gcId !== gcId) return refuse(AGCOD_ERRORS.cardNotFound);
  if (card.status === 'Fulfilled') {
    if (now - card.createdAt > CANCEL_WINDOW_MS) return refuse(AGCOD_ERRORS.cancelTooLate);
    book.cancel(creationRequestId, now);
  }
  return json(200, { creationRequestId, gcId, status: 'SUCCESS' });
}

function checkPartner(input: Input, account: Account): AgcodError | undefined {
  const partnerId = input.partnerId;
  if (typeof partnerId !== 'string' || partnerId === '') return AGCOD_ERRORS.partnerIdNull;
  return partnerId === account.partnerId ? undefined : AGCOD_ERRORS.accessDenied;
}

function checkRequestId(id: string, partnerId: string): AgcodError | undefined {
  if (!/^[A-Za-z0-9]+$/.test(id)) return AGCOD_ERRORS.requestIdInvalid;
  if (id.length > MAX_REQUEST_ID) return AGCOD_ERRORS.requestIdTooLong;
  return id.startsWith(partnerId) ? undefined : AGCOD_ERRORS.requestIdPrefix;
}

type Money = { amount: bigint; currency: string };

function readMoney(value: unknown, account: Account): Money | AgcodError | 'malformed' {
  if (value === undefined || value === null) return AGCOD_ERRORS.amountNull;
  if (typeof value !== 'object') return 'malformed';
  const { amount, currencyCode } = value as Input;
  if (amount === undefined || amount === null) return AGCOD_ERRORS.amountNull;
  if (typeof amount !== 'number') return 'malformed';
  if (amount <= 0) return AGCOD_ERRORS.amountNotPositive;
  if (currencyCode === undefined || currencyCode === null || currencyCode === '') return AGCOD_ERRORS.currencyNull;
  if (typeof currencyCode !== 'string') return 'malformed';
  if (currencyCode !== account.currency) return AGCOD_ERRORS.currencyMismatch;
  if (amount > wireNumber(account.maxAmount)) return AGCOD_ERRORS.maxAmount;
  // The shortest decimal text of a double is the text that was sent, so nothing is computed in floating point.
  const minor = toMinor(String(amount));
  if (minor === undefined || (!account.fractions && minor % 100n !== 0n)) return AGCOD_ERRORS.fractional;
  return { amount: minor, currency: currencyCode };
}

function cardAnswer(card: Card): Answer {
  const value = { amount: wireNumber(card.amount), currencyCode: card.currency };
  return json(200, {
    cardInfo: { cardNumber: null, cardStatus: card.status, expirationDate: null, value },
    creationRequestId: card.creationRequestId,
    gcClaimCode: card.claimCode,
    gcExpirationDate: expirationDate(card.createdAt + VALIDITY_MS),
    gcId: card.gcId,
    status: 'SUCCESS',
  });
}

/** `Thu Jun 10 14:59:59 UTC 2032`. */
function expirationDate(at: number): string {
  const [weekday, day, month, year, time] = new Date(at).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}

/** `20220610T085450Z`. */
function timestamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
