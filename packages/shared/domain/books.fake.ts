import type { Books, Conversion } from './conversion.ts';
import type { FraudDecision } from './fraud.ts';
import {
  applyEvent,
  birth,
  type ClickContext,
  type IntakeEvent,
  type IntakeSettings,
  matchConversion,
  type Offer,
} from './intake.ts';
import type { Posting } from './journal.ts';
import type { ConversionReport } from './postback.ts';

export const NOON = Date.UTC(2026, 10, 1, 12);
export const SETTINGS: IntakeSettings = { currency: 'INR', attributionWindowDays: 90, fee: 0n };
export const CLEAR: FraudDecision = { verdict: 'clear', score: 0, rules: [] };
export const OFFER: Offer = {
  offerId: 7,
  network: 'trackier',
  merchant: 'nila',
  currency: 'INR',
  pct: '10.00',
  fixed: null,
  countries: {},
  coolOffDays: 30,
};
export const CLICK: ClickContext = {
  clickId: 1n << 40n,
  linkId: '00000000-0000-4000-8000-000000000001',
  visitorId: '00000000-0000-4000-8000-000000000002',
  userId: '00000000-0000-4000-8000-000000000003',
  country: 'IN',
  isStored: true,
  tenantId: '00000000-0000-4000-8000-000000000004',
  campaignId: '00000000-0000-4000-8000-000000000005',
  offerId: 7,
  share: 5_000n,
};

/** What an event says, with a plain approved sale of 1,000.00 in place of what is not given. */
export function report(say: Partial<ConversionReport> = {}): ConversionReport {
  return {
    ...{ click: 'c', offerId: 7, orderValue: 100_000n, status: 'approved', txnId: 'A1', networkId: null, goalId: null },
    ...{ payout: null, currency: null, country: null, occurredAt: null, publisherId: null },
    ...say,
  };
}

let minted = 1_000n;
const mint = (): bigint => {
  minted += 1n;
  return minted;
};

/** Books in memory, which take the events of one click and offer in the order given. */
export class MemoryBooks {
  readonly conversions: Conversion[] = [];
  readonly books: Books = { postings: [], settled: [] };
  readonly #click: ClickContext;
  readonly #settings: IntakeSettings;

  constructor(click: ClickContext = CLICK, settings: IntakeSettings = SETTINGS) {
    this.#click = click;
    this.#settings = settings;
  }

  take(
    say: ConversionReport,
    given: { at: number; mayRaise?: boolean; decision?: FraudDecision } = { at: NOON },
  ): void {
    const click = { kind: 'bare' as const, clickId: this.#click.clickId };
    const event: IntakeEvent = {
      postbackId: mint(),
      receivedAt: given.at,
      mayRaise: given.mayRaise ?? false,
      report: say,
      click,
    };
    const match = matchConversion(say, click, this.#click, this.conversions);
    if (match.kind === 'existing') applyEvent(this.books, event, match.conversion, OFFER, this.#settings, mint, false);
    else if (match.kind === 'new')
      this.conversions.push(
        birth(
          this.books,
          event,
          this.#click,
          OFFER,
          this.#settings,
          { convId: mint(), ledId: mint() },
          given.decision ?? CLEAR,
        ),
      );
  }

  /** Sums of the postings by account. */
  balances(): Record<string, bigint> {
    return balancesOf(this.books.postings);
  }
}

export function balancesOf(postings: readonly Posting[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {};
  for (const { account, amount } of postings) sums[account] = (sums[account] ?? 0n) + amount;
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0n));
}
