import { type Paise, parseNetworkAmount } from './money.ts';

export const NETWORK_STATUSES = ['pending', 'approved', 'cancelled', 'rejected'] as const;
export type NetworkStatus = (typeof NETWORK_STATUSES)[number];

/** Why a postback cannot be a conversion. */
export type Refusal =
  | 'missing_click'
  | 'unknown_click'
  | 'unsubstituted_macro'
  | 'bad_offer'
  | 'bad_amount'
  | 'bad_status'
  | 'bad_currency'
  | 'bad_id'
  | 'oversized'
  | 'unreadable';

/** What a postback, a row of the poll or a row of the CSV says about a sale, read but not yet matched. */
export type ConversionReport = {
  /** Our click reference, or a bare click id; null where a row of the poll lost it. */
  readonly click: string | null;
  readonly offerId: number;
  /** Paise of the event's currency; null where the network's list does not tell. */
  readonly orderValue: Paise | null;
  readonly status: NetworkStatus;
  /** The order id. */
  readonly txnId: string | null;
  /** The network's own id of the conversion. */
  readonly networkId: string | null;
  readonly goalId: string | null;
  /** Paise; the network's commission when it sent one. */
  readonly payout: Paise | null;
  readonly currency: string | null;
  readonly country: string | null;
  /** The network's conversion time, milliseconds since the Unix epoch. */
  readonly occurredAt: number | null;
  readonly publisherId: string | null;
};

/** The most an order or a commission may be: 10,000,000.00. Above it a person looks. */
export const AMOUNT_LIMIT: Paise = 1_000_000_000n;
/** Lengths in characters that the database also knows. */
export const ID_LIMIT = { txn: 128, network: 64, goal: 64, click: 80 } as const;

type Reading = { ok: true; report: ConversionReport } | { ok: false; reason: Refusal };

/**
 * Reads the parameters of a postback (architecture, flow 4). A macro that arrives verbatim, an empty or malformed required
 * value or amount is bad payload and not zero rupees; an empty optional id is a missing one.
 */
export function readPostback(raw: Readonly<Record<string, string>>): Reading {
  return read(raw, raw.click_id, true);
}

/**
 * Reads a row of the network's conversion list or CSV: our reference is `p1`, `click_id` is the network's own, and there may be no
 * sale amount (facts: Trackier).
 */
export function readNetworkRow(raw: Readonly<Record<string, string>>): Reading {
  return read({ ...raw, offer_id: raw.campaign_id ?? '' }, raw.p1, false);
}

function read(raw: Readonly<Record<string, string>>, clickText: string | undefined, isPostback: boolean): Reading {
  const no = (reason: Refusal): Reading => ({ ok: false, reason });
  const read = [clickText, ...FIELDS.map((name) => raw[name])];
  if (read.some((value) => value !== undefined && /[{}]/.test(value))) return no('unsubstituted_macro');
  const click = text(clickText);
  if (click === null && isPostback) return no('missing_click');
  if (click !== null && click.length > ID_LIMIT.click) return no('unknown_click');
  const offer = /^[1-9]\d{0,9}$/.test(raw.offer_id?.trim() ?? '') ? Number(raw.offer_id) : 0;
  if (offer === 0 || offer > 2_147_483_647) return no('bad_offer');
  const status = NETWORK_STATUSES.find((known) => known === raw.status?.trim().toLowerCase());
  if (status === undefined) return no('bad_status');

  const orderValue = amount(raw.sale_amount, isPostback);
  const payout = amount(raw.payout, false);
  // An empty amount in a postback is a macro that the network could not fill: no amount, not zero.
  if (orderValue === undefined || payout === undefined || (isPostback && raw.payout?.trim() === ''))
    return no('bad_amount');
  const currency = text(raw.currency)?.toUpperCase() ?? null;
  if (currency !== null && !/^[A-Z]{3}$/.test(currency)) return no('bad_currency');

  const txnId = text(raw.txn_id);
  const networkId = text(raw._id);
  const goalId = text(raw.goal_id);
  if (!fits(txnId, ID_LIMIT.txn) || !fits(networkId, ID_LIMIT.network) || !fits(goalId, ID_LIMIT.goal))
    return no('bad_id');
  const country = text(raw.country)?.toUpperCase() ?? null;
  const created = raw.created === undefined ? Number.NaN : Date.parse(raw.created);
  return {
    ok: true,
    report: {
      click,
      offerId: offer,
      orderValue,
      status,
      txnId,
      networkId,
      goalId,
      payout,
      currency,
      country: country !== null && /^[A-Z]{2}$/.test(country) ? country : null,
      occurredAt: isPostback || Number.isNaN(created) ? null : created,
      publisherId: isPostback ? null : text(raw.publisher_id),
    },
  };
}

const FIELDS = ['offer_id', 'sale_amount', 'status', 'txn_id', 'payout', 'currency', 'goal_id', 'country'] as const;

function text(value: string | undefined): string | null {
  const trimmed = value?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

function amount(value: string | undefined, required: boolean): Paise | null | undefined {
  const trimmed = value?.trim() ?? '';
  if (trimmed === '') return required ? undefined : null;
  const paise = parseNetworkAmount(trimmed);
  return paise === null || paise > AMOUNT_LIMIT ? undefined : paise;
}

function fits(value: string | null, limit: number): boolean {
  return value === null || (value.length <= limit && !/[\p{C}\p{Zl}\p{Zp}]/u.test(value));
}
