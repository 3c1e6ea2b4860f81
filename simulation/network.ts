import type { Dice } from './dice.ts';
import type { Offer } from './world.ts';
import { hundredths } from './world.ts';

const DAY_MS = 86_400_000;

export type SaleStatus = 'pending' | 'approved' | 'cancelled' | 'rejected';

/** A sale as the network knows it: the truth that postbacks tell more or less well. Paise; times in milliseconds since the Unix epoch. */
export type Sale = {
  readonly id: string;
  readonly created: number;
  /** Our reference as it came to the network; null where it was lost on the way. */
  readonly reference: string | null;
  readonly offer: Offer;
  readonly orderId: string | null;
  readonly goal: string | null;
  readonly country: string | null;
  readonly amount: bigint;
  /** The publisher that the list names beside the sale, if it names one. */
  readonly publisherId: string | null;
  payout: bigint;
  status: SaleStatus;
  /** What its postbacks carry besides what they must. */
  readonly tells: {
    readonly orderId: boolean;
    readonly payout: boolean;
    readonly currency: boolean;
    readonly country: boolean;
  };
  /** The click id that postbacks carry: the reference, or the bare id. */
  readonly postbackClick: string;
};

/** Trackier as far as we meet it: its list of conversions, its daily CSV, and the postbacks' parameters. */
export class Network {
  readonly sales: Sale[] = [];
  /** Every page of the list that it answered: when, and what each sale was then. */
  readonly answers: { readonly at: number; readonly statuses: ReadonlyMap<string, SaleStatus> }[] = [];
  isQuiet = false;
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** The address of a postback about the sale as it is now. */
  postback(sale: Sale): string {
    const query = new URLSearchParams({
      token: 'token',
      click_id: sale.postbackClick,
      offer_id: String(sale.offer.id),
      sale_amount: hundredths(sale.amount),
      status: sale.status,
    });
    if (sale.orderId !== null && sale.tells.orderId) query.set('txn_id', sale.orderId);
    if (sale.tells.payout) query.set('payout', hundredths(sale.payout));
    if (sale.tells.currency) query.set('currency', sale.offer.currency);
    if (sale.tells.country && sale.country !== null) query.set('country', sale.country);
    if (sale.goal !== null && this.#dice.chance(0.7)) query.set('goal_id', sale.goal);
    return `https://hissaback.example/v1/events/conversion?${query}`;
  }

  /** Answers a call of its API; now and then it fails, stays away or cuts its list short. */
  answer(url: URL, now: number): Response {
    const roll = this.isQuiet ? 100 : this.#dice.between(0, 99);
    if (roll < 4) throw new TypeError('fetch failed');
    if (roll < 7) return new Response('bad gateway', { status: 502 });
    if (roll < 9) return Response.json({ success: false, error: { code: 13, message: 'try later' } });
    if (url.pathname.endsWith('.csv')) return new Response(this.#csv(url.searchParams.get('date') ?? ''));
    const start = Date.parse(`${url.searchParams.get('start')}T00:00:00Z`);
    const end = Date.parse(`${url.searchParams.get('end')}T00:00:00Z`) + DAY_MS;
    const page = Number(url.searchParams.get('page'));
    const limit = Number(url.searchParams.get('limit'));
    const listed = this.sales.filter(({ created }) => created >= start && created < end).toReversed();
    const onPage = listed.slice((page - 1) * limit, page * limit);
    this.answers.push({ at: now, statuses: new Map(onPage.map(({ id, status }) => [id, status])) });
    const conversions = onPage.map((sale) => this.#row(sale));
    return Response.json({ conversions, pagination: { perPage: limit, currentPage: page, total: listed.length } });
  }

  #row(sale: Sale): Record<string, unknown> {
    return {
      _id: sale.id,
      click_id: `network-${sale.id}`,
      p1: sale.reference,
      goal_id: sale.goal,
      txn_id: sale.orderId,
      currency: sale.offer.currency === 'USD' && sale.amount % 2n === 0n ? null : sale.offer.currency,
      payout: hundredths(sale.payout),
      status: sale.status,
      country: sale.country,
      created: new Date(sale.created).toISOString(),
      campaign_id: sale.offer.id,
      publisher_id: sale.publisherId,
    };
  }

  #csv(date: string): string {
    const start = Date.parse(`${date}T00:00:00Z`);
    const rows = this.sales
      .filter(({ created }) => created >= start && created < start + DAY_MS)
      .map((sale) => this.#row(sale));
    const names = [
      '_id',
      'click_id',
      'p1',
      'goal_id',
      'txn_id',
      'currency',
      'payout',
      'status',
      'country',
      'created',
      'campaign_id',
      'publisher_id',
    ];
    return [names.join(','), ...rows.map((row) => names.map((name) => String(row[name] ?? '')).join(','))].join('\n');
  }
}
