import { seededRandom } from '@hissaback/shared/domain/chance.fake';
import { Dice, seedOf } from './dice.ts';
import { inHundredths } from './world.ts';

export type Card = {
  readonly gcId: string;
  readonly code: string;
  readonly amount: bigint;
  status: 'Fulfilled' | 'RefundedToPurchaser';
};
type CreateBody = { creationRequestId: string; value: { amount: number; currencyCode: string } };
/** What a caller gets: text, or nothing at all. */
export type Answer = { readonly status: number; readonly text: string } | 'silence';

/**
 * AGCOD as it really is: idempotent by creationRequestId, with every way of failing that it has, before and after a card was made. What it
 * answers to a call depends on that call's id and number only, not on the order of calls.
 */
export class Amazon {
  readonly cards = new Map<string, Card>();
  /** Every answer given, by creationRequestId, oldest first. */
  readonly answers = new Map<string, string[]>();
  /** Calls that no correct caller makes. */
  readonly violations: string[] = [];
  isQuiet = false;
  /** Until when the account has no funds, and until when our signature is refused; milliseconds since the Unix epoch. */
  emptyUntil = 0;
  refusedUntil = 0;
  readonly #seed: number;
  readonly #asked = new Map<string, string>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  answer(operation: string, body: string, now: number): Answer {
    if (operation === 'GetAvailableFunds')
      return json({ availableFunds: { amount: 5_000, currencyCode: 'INR' }, status: 'SUCCESS' });
    const { creationRequestId: id, value } = JSON.parse(body) as CreateBody;
    const said = this.answers.get(id) ?? [];
    this.answers.set(id, said);
    const asked = `${value.amount} ${value.currencyCode}`;
    if ((this.#asked.get(id) ?? asked) !== asked) this.violations.push(`${id} was asked for with two amounts`);
    this.#asked.set(id, asked);
    const amount = inHundredths(String(value.amount));
    const dice = new Dice(seededRandom(seedOf(`${this.#seed} ${id} ${said.length}`)));
    const [kind, answer] = this.#decide(id, amount, dice, now);
    said.push(kind);
    return answer;
  }

  #decide(id: string, amount: bigint, dice: Dice, now: number): [string, Answer] {
    if (now < this.refusedUntil) return ['signature', failure('F200', 'InvalidSignatureException')];
    if (now < this.emptyUntil) return ['funds', failure('F300', 'InsufficientFunds')];
    const roll = this.isQuiet ? 0 : dice.between(0, 999);
    if (roll < 660) return this.#make(id, amount);
    if (roll < 720) return ['silence', 'silence'];
    if (roll < 790) {
      const [kind] = this.#make(id, amount);
      const card = this.cards.get(id);
      if (card !== undefined && dice.chance(0.2)) card.status = 'RefundedToPurchaser'; // somebody cancels it at Amazon
      return [`${kind}, answer lost`, 'silence'];
    }
    if (roll < 830) return ['resend', failure('F400', 'SystemTemporarilyUnavailable', 'RESEND')];
    if (roll < 860) {
      this.#make(id, amount);
      return ['resend after the card', failure('F400', 'SystemTemporarilyUnavailable', 'RESEND')];
    }
    if (roll < 880) return ['unknown', failure('F500', 'UnknownError')];
    if (roll < 900) {
      this.#make(id, amount);
      return ['internal after the card', failure('F100', 'InternalError')];
    }
    if (roll < 940) return ['throttled', json({ __type: 'ThrottlingException', message: 'Rate exceeded' })];
    if (roll < 965) return ['refused', failure('F200', 'MaxAmountExceeded')];
    if (roll < 980) return ['signature', failure('F200', 'InvalidSignatureException')];
    return ['garbage', { status: 503, text: '<html>' }];
  }

  #make(id: string, amount: bigint): [string, Answer] {
    const known = this.cards.get(id);
    if (known !== undefined && known.amount !== amount)
      return ['mismatch', failure('F200', 'RequestedDenominationMismatch')];
    const number = this.cards.size + 1;
    const card = known ?? {
      gcId: `GC${number}`,
      code: `CODE-${seedOf(id).toString(36)}-${number}`,
      amount,
      status: 'Fulfilled',
    };
    this.cards.set(id, card);
    const value = { currencyCode: 'INR', amount: Number(card.amount) / 100 };
    const cardInfo = { cardNumber: null, cardStatus: card.status, expirationDate: null, value };
    return [
      card.status === 'Fulfilled' ? 'card' : 'refunded',
      json({
        cardInfo,
        creationRequestId: id,
        gcClaimCode: card.code,
        gcExpirationDate: null,
        gcId: card.gcId,
        status: 'SUCCESS',
      }),
    ];
  }
}

function json(body: unknown): Answer {
  return { status: 200, text: JSON.stringify(body) };
}

function failure(errorCode: string, errorType: string, status = 'FAILURE'): Answer {
  const agcodResponse = { __type: 'CreateGiftCardResponse:http://internal.amazon.com/', cardInfo: null, status };
  return { status: 400, text: JSON.stringify({ agcodResponse, errorCode, errorType, message: errorType }) };
}
