import { fromMinor, toMinor } from '../kit/decimal.ts';
import { type Journal, openJournal } from '../kit/journal.ts';
import type { Random } from '../kit/time.ts';

export type CardStatus = 'Fulfilled' | 'RefundedToPurchaser';
/** A gift card; times in ms epoch, `amount` in hundredths of `currency`. */
export type Card = {
  creationRequestId: string;
  gcId: string;
  claimCode: string;
  amount: bigint;
  currency: string;
  status: CardStatus;
  createdAt: number;
  cancelledAt: number | null;
};

type Entry =
  | {
      type: 'created';
      at: number;
      creationRequestId: string;
      gcId: string;
      claimCode: string;
      amount: string;
      currency: string;
    }
  | { type: 'cancelled'; at: number; creationRequestId: string }
  | { type: 'funds'; at: number; amount: string }
  | { type: 'reset'; at: number };

const CODE_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** Every card ever made and the money left to make more, on an append-only file that is written before anyone is told. */
export class CardBook {
  readonly #journal: Journal<Entry>;
  readonly #random: Random;
  readonly #initialFunds: bigint;
  readonly #cards = new Map<string, Card>();
  #funds: bigint;

  /** `initialFunds` in hundredths. */
  constructor(path: string, initialFunds: bigint, random: Random) {
    this.#random = random;
    this.#initialFunds = initialFunds;
    this.#funds = initialFunds;
    this.#journal = openJournal<Entry>(path);
    for (const entry of this.#journal.entries) this.#apply(entry);
  }

  /** Hundredths left. */
  get funds(): bigint {
    return this.#funds;
  }

  get size(): number {
    return this.#cards.size;
  }

  find(creationRequestId: string): Card | undefined {
    return this.#cards.get(creationRequestId);
  }

  all(): Card[] {
    return [...this.#cards.values()];
  }

  create(creationRequestId: string, amount: bigint, currency: string, at: number): Card {
    const gcId = this.#pick('0123456789', 16);
    const code = this.#pick(CODE_LETTERS, 14);
    const claimCode = `${code.slice(0, 4)}-${code.slice(4, 10)}-${code.slice(10)}`;
    this.#record({ type: 'created', at, creationRequestId, gcId, claimCode, amount: fromMinor(amount), currency });
    const card = this.#cards.get(creationRequestId);
    if (card === undefined) throw new Error('the card just written is missing');
    return card;
  }

  cancel(creationRequestId: string, at: number): void {
    this.#record({ type: 'cancelled', at, creationRequestId });
  }

  setFunds(amount: bigint, at: number): void {
    this.#record({ type: 'funds', at, amount: fromMinor(amount) });
  }

  reset(at: number): void {
    this.#record({ type: 'reset', at });
  }

  close(): void {
    this.#journal.close();
  }

  #record(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    if (entry.type === 'reset') {
      this.#cards.clear();
      this.#funds = this.#initialFunds;
    } else if (entry.type === 'funds') {
      this.#funds = toMinor(entry.amount) ?? 0n;
    } else if (entry.type === 'created') {
      const { creationRequestId, gcId, claimCode, currency, at } = entry;
      const amount = toMinor(entry.amount) ?? 0n;
      this.#funds -= amount;
      const made = { createdAt: at, cancelledAt: null, status: 'Fulfilled' } as const;
      this.#cards.set(creationRequestId, { creationRequestId, gcId, claimCode, amount, currency, ...made });
    } else {
      const card = this.#cards.get(entry.creationRequestId);
      if (card === undefined || card.status === 'RefundedToPurchaser') return;
      this.#funds += card.amount;
      this.#cards.set(card.creationRequestId, { ...card, status: 'RefundedToPurchaser', cancelledAt: entry.at });
    }
  }

  #pick(letters: string, count: number): string {
    return Array.from(this.#random.bytes(count), (byte) => letters[byte % letters.length]).join('');
  }
}
