import { describe, expect, it } from 'vitest';
import mockIds from '../../../sandbox/agcod/vectors/mock_creation_request_ids.json' with { type: 'json' };
import responses from '../../../sandbox/agcod/vectors/responses.json' with { type: 'json' };
import { type AgcodOutcome, type CardRequest, readOutcome } from './agcod-outcome.ts';

type Sample = { creationRequestId?: string; cardInfo?: { value: { amount: number; currencyCode: string } } };
const samples: Record<string, unknown> = responses;

function read(name: string): AgcodOutcome {
  const { creationRequestId = 'Partner1', cardInfo } = samples[name] as Sample;
  const amount = BigInt(cardInfo?.value.amount ?? 500) * 100n;
  const request = { creationRequestId, amount, currency: cardInfo?.value.currencyCode ?? 'INR' };
  return readOutcome(request, { kind: 'body', body: samples[name] });
}

/** What each of Amazon's recorded answers means to a payout. */
const EXPECTED: Record<string, AgcodOutcome['kind']> = {
  'CreateGiftCard.success': 'issued',
  'CreateGiftCard.sameId_after_cancel__SUCCESS_but_RefundedToPurchaser': 'refunded',
  'CreateGiftCard.idempotent_first': 'issued',
  'CreateGiftCard.idempotent_second_same_creationRequestId': 'issued',
  // Answers to other operations are no card.
  'GetAvailableFunds.success': 'unknown',
  'CancelGiftCard.success': 'unknown',
  'mock.F0000': 'issued',
  'mock.F1000': 'unknown',
  'mock.F2003': 'refused',
  'mock.F2004': 'refused',
  'mock.F2005': 'refused',
  'mock.F2010': 'unknown',
  'mock.F2015': 'refused',
  'mock.F2016': 'refused',
  'mock.F2017': 'refused',
  'mock.F2047': 'unknown',
  'mock.F3003': 'held',
  'mock.F3005': 'held',
  'mock.F3010': 'held',
  'mock.F4000': 'unknown',
  'mock.F5000': 'unknown',
};

describe('every recorded answer of AGCOD', () => {
  it('is in the table', () => {
    expect(Object.keys(samples).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s is %s', (name, kind) => {
    expect(read(name).kind).toBe(kind);
  });

  it('the mock ids without a sample are refused: their types are input errors', () => {
    for (const [id, answer] of Object.entries(mockIds)) {
      const [code, type] = String(Array.isArray(answer) ? answer[1] : '').split(' ');
      if (type === undefined) continue;
      const body = { agcodResponse: { status: 'FAILURE' }, errorCode: code, errorType: type, message: '' };
      expect([id, readOutcome(REQUEST, { kind: 'body', body }).kind]).toEqual([id, 'refused']);
    }
  });
});

const REQUEST: CardRequest = { creationRequestId: 'Hissa123', amount: 50_000n, currency: 'INR' };
const SUCCESS = {
  cardInfo: {
    cardNumber: null,
    cardStatus: 'Fulfilled',
    expirationDate: null,
    value: { amount: 500.0, currencyCode: 'INR' },
  },
  creationRequestId: 'Hissa123',
  gcClaimCode: 'ABCD-EFGHIJ-KLMN',
  gcId: '5535125272070255',
  status: 'SUCCESS',
};
const read200 = (body: unknown) => readOutcome(REQUEST, { kind: 'body', body });
const f200 = (errorType: string) => read200({ agcodResponse: { status: 'FAILURE' }, errorCode: 'F200', errorType });

describe('money rule 14: what an answer proves', () => {
  it('a card is delivered only on Fulfilled', () => {
    expect(read200(SUCCESS)).toEqual({ kind: 'issued', gcId: '5535125272070255', claimCode: 'ABCD-EFGHIJ-KLMN' });
    expect(read200({ ...SUCCESS, cardInfo: { ...SUCCESS.cardInfo, cardStatus: 'Expired' } }).kind).toBe('unknown');
  });

  it.each([
    ['another id', { creationRequestId: 'Hissa124' }],
    ['another amount', { cardInfo: { ...SUCCESS.cardInfo, value: { amount: 499.99, currencyCode: 'INR' } } }],
    ['a fraction of a paisa', { cardInfo: { ...SUCCESS.cardInfo, value: { amount: 500.004, currencyCode: 'INR' } } }],
    ['another currency', { cardInfo: { ...SUCCESS.cardInfo, value: { amount: 500, currencyCode: 'USD' } } }],
    ['no claim code', { gcClaimCode: null }],
    ['no card id', { gcId: '' }],
  ])('a success with %s is not ours: unknown, and operators are told', (_, change) => {
    expect(read200({ ...SUCCESS, ...change })).toMatchObject({ kind: 'unknown', alarming: true });
  });

  it('an amount mismatch proves a card', () => {
    expect(f200('RequestedDenominationMismatch').kind).toBe('mismatch');
  });

  it('a signature error, reported under F200 too, holds everything', () => {
    for (const type of ['InvalidSignatureException', 'MissingAuthenticationTokenException', 'AccessDenied'])
      expect(f200(type).kind).toBe('held');
    expect(read200({ __type: 'com.amazon.coral.service#AccessDeniedException', message: '' }).kind).toBe('held');
    expect(f200('InvalidSignature').kind).toBe('held');
    const message = 'The request signature we calculated does not match the signature you provided.';
    for (const errorType of ['InvalidRequestInput', 'GeneralError'])
      expect(read200({ agcodResponse: { status: 'FAILURE' }, errorCode: 'F200', errorType, message }).kind).toBe(
        'held',
      );
  });

  it('an F200 of no listed type is never terminal', () => {
    expect(f200('SomethingNew')).toMatchObject({ kind: 'unknown', alarming: true });
  });

  it('throttling is told by its name, wherever it stands', () => {
    expect(
      read200({ __type: 'com.amazon.coral.availability#ThrottlingException', message: 'Rate exceeded' }).kind,
    ).toBe('throttled');
    expect(read200({ errorCode: 'F100', errorType: 'ThrottlingException' }).kind).toBe('throttled');
    expect(read200({ errorCode: 'ThrottlingException', message: 'Rate exceeded' }).kind).toBe('throttled');
  });

  it('RESEND, garbage, an empty object, a list and silence are unknown', () => {
    const bodies = [
      { agcodResponse: { status: 'RESEND' }, errorCode: 'F400', errorType: 'X' },
      {},
      [],
      null,
      'text',
      7,
    ];
    for (const body of bodies) expect(read200(body).kind).toBe('unknown');
    for (const reason of ['timeout', 'network', 'unreadable'] as const)
      expect(readOutcome(REQUEST, { kind: 'silence', reason })).toMatchObject({ kind: 'unknown', alarming: false });
  });
});
