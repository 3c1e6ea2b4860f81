import { type Paise, parseNetworkAmount } from './money.ts';

/** What came back from a call: a JSON body, or nothing that could be read. */
export type AgcodAnswer =
  | { readonly kind: 'body'; readonly body: unknown }
  | { readonly kind: 'silence'; readonly reason: 'timeout' | 'network' | 'unreadable' };

export type AgcodError = { readonly code: string; readonly type: string };

/** What an answer to CreateGiftCard means for its payout. */
export type AgcodOutcome =
  /** The card is there and alive: deliver it. */
  | { readonly kind: 'issued'; readonly gcId: string; readonly claimCode: string }
  /** The card was cancelled at Amazon: SUCCESS with the same code, never to be delivered. */
  | { readonly kind: 'refunded'; readonly gcId: string }
  /** F200, an input error of the closed list: terminal, but only as the first and sole answer (money rule 14). */
  | { readonly kind: 'refused'; readonly error: AgcodError }
  /** The id has a card of another amount: proof that a card exists. */
  | { readonly kind: 'mismatch'; readonly error: AgcodError }
  /** The partner account or our signature is the trouble, not the payout: everything waits. */
  | { readonly kind: 'held'; readonly error: AgcodError }
  /** Too many calls: not an attempt at all. */
  | { readonly kind: 'throttled' }
  /** Nobody knows whether there is a card: only asking again with the same id tells. */
  | { readonly kind: 'unknown'; readonly error: AgcodError; readonly alarming: boolean };

/** What was asked for; `amount` in paise. */
export type CardRequest = { readonly creationRequestId: string; readonly amount: Paise; readonly currency: string };

/** F200 types that speak of the request's own content, so that the same request can never succeed. */
const INPUT_ERRORS: ReadonlySet<string> = new Set([
  'InvalidRequestInput',
  'InvalidCardNumberInput',
  'InvalidPartnerIdInput',
  'InvalidRequestIdInput',
  'InvalidAmountInput',
  'InvalidAmountValue',
  'InvalidCurrencyCodeInput',
  'CurrencyCodeMismatch',
  'MaxAmountExceeded',
  'FractionalAmountNotAllowed',
  'RequestIdTooLong',
  'RequestIdMustStartWithPartnerName',
  'ExternalReferenceTooLong',
]);
const MISMATCHES: ReadonlySet<string> = new Set(['RequestedDenominationMismatch']);
/**
 * Reported under F200 or by the framework in front of the service: our key, our clock or our address is wrong. AWS has many names for it
 * (InvalidSignatureException, SignatureDoesNotMatch, MissingAuthenticationToken, UnrecognizedClientException, InvalidAwsAccessKeyId, ...), so the words decide.
 */
const ACCESS_ERROR =
  /Signature|Authenticat|Authoriz|AccessKey|ClientToken|UnrecognizedClient|ExpiredToken|TokenRefresh|RequestExpired|AccessDenied|OptInRequired|UnknownOperation/i;
/** A signature may be refused under the name of an input error; the text of the message tells. */
const ACCESS_MESSAGE = /\bsignature\b|access key|security token/i;
const THROTTLING = /Throttl|TooManyRequests|RequestLimitExceeded/i;
const LONGEST_NAME = 64;

/**
 * Reads an answer by its `errorCode` and `errorType`, never by the HTTP status: RESEND, throttling and F300 also arrive as 400, and a wrong
 * signature under F200. An answer about another id, amount or currency than was asked for proves nothing.
 */
export function readOutcome(request: CardRequest, answer: AgcodAnswer): AgcodOutcome {
  if (answer.kind === 'silence') return unknown(answer.reason, answer.reason);
  if (!isRecord(answer.body)) return unknown('unreadable', 'NoObject');
  return answer.body.status === 'SUCCESS' ? readCard(request, answer.body) : readError(answer.body);
}

function readCard(request: CardRequest, body: Body): AgcodOutcome {
  const card = isRecord(body.cardInfo) ? body.cardInfo : {};
  const { gcId, gcClaimCode: claimCode } = body;
  if (body.creationRequestId !== request.creationRequestId) return unknown('SUCCESS', 'OtherRequest', true);
  if (typeof gcId !== 'string' || gcId === '') return unknown('SUCCESS', 'NoCardId', true);
  if (card.cardStatus === 'RefundedToPurchaser') return { kind: 'refunded', gcId };
  if (card.cardStatus !== 'Fulfilled') return unknown('SUCCESS', 'OtherCardStatus', true);
  if (!isWorth(card.value, request)) return unknown('SUCCESS', 'OtherValue', true);
  if (typeof claimCode !== 'string' || claimCode === '') return unknown('SUCCESS', 'NoClaimCode', true);
  return { kind: 'issued', gcId, claimCode };
}

/** The shortest decimal text of a JSON number is the one that was sent, so nothing is computed in floating point. */
function isWorth(value: unknown, { amount, currency }: CardRequest): boolean {
  if (!isRecord(value) || typeof value.amount !== 'number') return false;
  const text = String(value.amount);
  return /^\d+(?:\.\d{1,2})?$/.test(text) && parseNetworkAmount(text) === amount && value.currencyCode === currency;
}

function readError(body: Body): AgcodOutcome {
  const nested = isRecord(body.agcodResponse) ? body.agcodResponse : {};
  const status = nested.status ?? body.status;
  const framework = nameOf(body.__type).replace(/^.*#/, '');
  const error: AgcodError = { code: nameOf(body.errorCode), type: nameOf(body.errorType) || framework };
  if ([error.type, error.code, framework].some((name) => THROTTLING.test(name))) return { kind: 'throttled' };
  if (status === 'RESEND') return { kind: 'unknown', error, alarming: false };
  if (error.code === 'F300' || ACCESS_ERROR.test(error.type) || ACCESS_MESSAGE.test(messageOf(body)))
    return { kind: 'held', error };
  if (error.code === 'F200') {
    if (MISMATCHES.has(error.type)) return { kind: 'mismatch', error };
    if (INPUT_ERRORS.has(error.type)) return { kind: 'refused', error };
    return { kind: 'unknown', error, alarming: true };
  }
  return { kind: 'unknown', error, alarming: error.code === '' && error.type !== '' };
}

type Body = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageOf(body: Body): string {
  const { message = body.Message } = body;
  return typeof message === 'string' ? message : '';
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, LONGEST_NAME) : '';
}

function unknown(code: string, type: string, alarming = false): AgcodOutcome {
  return { kind: 'unknown', error: { code, type }, alarming };
}
