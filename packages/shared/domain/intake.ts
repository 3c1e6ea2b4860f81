import { clickIdTime } from './click-id.ts';
import {
  accrue,
  amend,
  type Books,
  type Conversion,
  isPending,
  type LedgerRow,
  reverse,
  revive,
  rewardOf,
} from './conversion.ts';
import type { FraudDecision, Verdict } from './fraud.ts';
import type { BasisPoints, Paise } from './money.ts';
import type { ConversionReport, NetworkStatus } from './postback.ts';
import { type Commission, commissionFor, forfeit, grossCommission, splitCommission, takeFee } from './split.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A report with its reference verified: the click it names and, from an authentic reference, link and visitor (money rule 7). */
export type IntakeEvent = {
  readonly postbackId: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  /** Only a poll, a CSV row or an operator may raise what holds (money rule 4). */
  readonly mayRaise: boolean;
  readonly report: ConversionReport;
  readonly click: EventClick | null;
};
export type EventClick =
  | { kind: 'reference'; clickId: bigint; linkId: string; visitorId: string | null }
  | { kind: 'bare'; clickId: bigint };

/** What the database knows about an event's click. */
export type ClickContext = {
  clickId: bigint;
  linkId: string;
  visitorId: string | null;
  userId: string | null;
  country: string | null;
  /** False where the row never arrived and is made from the reference. */
  isStored: boolean;
  tenantId: string;
  campaignId: string;
  offerId: number;
  share: BasisPoints;
};

export type Offer = {
  offerId: number;
  network: string;
  merchant: string;
  currency: string;
  pct: string | null;
  fixed: string | null;
  countries: Record<string, { pct?: string; fixed?: string }>;
  coolOffDays: number;
};

export type IntakeSettings = {
  /** The currency that is credited; others are kept and not credited. */
  currency: string;
  attributionWindowDays: number;
  fee: BasisPoints;
};

/** Why an event has no conversion of its own; kept in `unmatched_conversions.reason`. */
export type Unmatched =
  | 'missing_click'
  | 'unknown_click'
  | 'unknown_offer'
  | 'foreign_offer'
  | 'foreign_publisher'
  | 'foreign_currency'
  | 'click_too_old'
  | 'bad_time'
  | 'no_amount'
  | 'ambiguous';

export type Match =
  | { kind: 'existing'; conversion: Conversion }
  | { kind: 'new' }
  | { kind: 'unmatched'; reason: Unmatched };

/**
 * Finds the conversion that an event speaks of (money rule 1), among those of its click and those that own its network id.
 * An event with new ids adopts the click's and offer's single conversion that has none; one without ids updates the single one there is;
 * whatever is ambiguous is never credited. A sale that the network gives another order id is ambiguous as long as it counts; that it is lost is heard by
 * its network id alone.
 * @param context what the database knows of the click; two clicks may share an id, and then the reference decides (money rule 7)
 */
export function matchConversion(
  report: ConversionReport,
  click: EventClick | null,
  context: Pick<ClickContext, 'linkId' | 'visitorId'> | null,
  known: readonly Conversion[],
): Match {
  const byNetworkId = report.networkId === null ? [] : known.filter((c) => c.networkId === report.networkId);
  const ofClick = known.filter(
    (c) => isOfClick(c, click, context) && c.offerId === report.offerId && sameOrUnknown(c.goalId, report.goalId),
  );
  const byOrder = report.txnId === null ? [] : ofClick.filter((c) => c.txnId === report.txnId);
  const owners = new Set([...byNetworkId, ...byOrder]);
  if (owners.size > 1) return { kind: 'unmatched', reason: 'ambiguous' };
  const [owner] = owners;
  if (owner !== undefined) {
    const fits =
      sameOrUnknown(owner.networkId, report.networkId) &&
      (sameOrUnknown(owner.txnId, report.txnId) || isLost(report.status)) &&
      owner.offerId === report.offerId &&
      (click === null || isOfClick(owner, click, context));
    return fits ? { kind: 'existing', conversion: owner } : { kind: 'unmatched', reason: 'ambiguous' };
  }
  if (click === null) return { kind: 'unmatched', reason: 'missing_click' };
  const hasIds = report.networkId !== null || report.txnId !== null;
  const candidates = hasIds ? ofClick.filter((c) => c.networkId === null && c.txnId === null) : ofClick;
  const [candidate, another] = candidates;
  if (another !== undefined) return { kind: 'unmatched', reason: 'ambiguous' };
  return candidate === undefined ? { kind: 'new' } : { kind: 'existing', conversion: candidate };
}

/**
 * The permanent names of a conversion in `conversion_aliases`: the network's id; click, offer, goal and order id. Without an order id the second
 * names the click's one sale that has no id at all: the network may list several sales of a click by its own id alone.
 */
export function aliasesOf(conversion: Conversion): string[] {
  const aliases: string[] = [];
  if (conversion.txnId !== null || conversion.networkId === null)
    aliases.push(
      `click:${conversion.clickId}:${conversion.linkId}:${conversion.visitorId ?? '-'}:${conversion.offerId}:${conversion.goalId ?? ''}:${conversion.txnId ?? ''}`,
    );
  if (conversion.networkId !== null) aliases.push(networkAlias(conversion.networkId));
  return aliases;
}

export function networkAlias(networkId: string): string {
  return `trackier:${networkId}`;
}

/**
 * What must hold before an event may become a new conversion (money rules 5 and 6).
 * @param publishers which tenant a publisher id belongs to
 */
export function refusal(
  event: IntakeEvent,
  click: ClickContext,
  offer: Offer | undefined,
  settings: IntakeSettings,
  publishers: ReadonlyMap<string, string>,
): Unmatched | null {
  const { report } = event;
  if (offer === undefined) return 'unknown_offer';
  if (click.offerId !== report.offerId) return 'foreign_offer';
  const publisher = report.publisherId === null ? undefined : publishers.get(report.publisherId);
  if (publisher !== undefined && publisher !== click.tenantId) return 'foreign_publisher';
  if ((report.currency ?? offer.currency) !== settings.currency) return 'foreign_currency';
  const clickTime = clickIdTime(click.clickId);
  const windowMs = settings.attributionWindowDays * DAY_MS;
  if (occurredAt(event) - clickTime > windowMs) return 'click_too_old';
  // A time long before the click is a slip of the network's: it would choose the partition, and end the cool-off.
  if (clickTime - occurredAt(event) > windowMs) return 'bad_time';
  if (worth(report, offer, settings) === null) return 'no_amount';
  return null;
}

/** The network's conversion time, else when it reached us. Milliseconds since the Unix epoch. */
export function occurredAt(event: IntakeEvent): number {
  return event.report.occurredAt ?? event.receivedAt;
}

/** What a report makes a sale worth, fee parted off; null where it names no amount to reckon from. Paise. */
export function worth(
  report: ConversionReport,
  offer: Offer,
  settings: Pick<IntakeSettings, 'fee'>,
): { net: Paise; fee: Paise } | null {
  const commission: Commission = commissionFor(offer, report.country);
  if (report.payout === null && report.orderValue === null && 'pct' in commission) return null;
  return takeFee(grossCommission(report.orderValue ?? 0n, report.payout, commission), settings.fee);
}

/** A sale seen for the first time, with its reward; the books get it unless fraud refuses it or the network never owed it. */
export function birth(
  books: Books,
  event: IntakeEvent,
  click: ClickContext,
  offer: Offer,
  settings: IntakeSettings,
  ids: { convId: bigint; ledId: bigint },
  decision: FraudDecision,
): Conversion {
  const { report } = event;
  const value = worth(report, offer, settings);
  if (value === null) throw new Error('refusal() lets nothing without an amount pass');
  const at = occurredAt(event);
  const split = splitCommission(value.net, click.share);
  const status = isLost(report.status) ? 'reversed' : VERDICT_STATUS[decision.verdict];
  const reward: LedgerRow = {
    ledId: ids.ledId,
    seq: 0,
    user: split.user,
    creator: split.creator,
    status,
    reason: isLost(report.status) ? report.status : (decision.rules[0] ?? null),
    statusAt: event.receivedAt,
    isNew: true,
    isChanged: false,
  };
  const conversion: Conversion = {
    convId: ids.convId,
    tenantId: click.tenantId,
    occurredAt: at,
    clickId: click.clickId,
    linkId: click.linkId,
    visitorId: click.visitorId,
    userId: click.userId,
    offerId: offer.offerId,
    currency: settings.currency,
    share: click.share,
    releaseAt: at + offer.coolOffDays * DAY_MS,
    goalId: report.goalId,
    txnId: report.txnId,
    networkId: report.networkId,
    status: report.status,
    orderValue: report.orderValue,
    net: value.net,
    fee: value.fee,
    amendments: 0,
    rounds: 0,
    verdict: decision.verdict,
    changedAt: event.receivedAt,
    ledger: [reward],
    isNew: true,
    isChanged: false,
  };
  if (isPending(status)) accrue(books, conversion, 'accrual');
  return conversion;
}

/**
 * Applies a further event to its conversion (money rule 4): between postbacks the status is the highest of
 * pending < approved < cancelled/rejected and the amount the lowest seen, whatever the order of arrival; a later poll, CSV row or operator
 * may also raise them. New ids are adopted.
 * @param isOrderTaken another conversion holds the order id: it refuses one that learns the id only now, and no conversion is revived against it; one
 * that has had the id all along is not asked again (money rule 2)
 * @returns true when anything changed
 */
export function applyEvent(
  books: Books,
  event: IntakeEvent,
  conversion: Conversion,
  offer: Offer,
  settings: IntakeSettings,
  mint: () => bigint,
  isOrderTaken: boolean,
): boolean {
  const { report } = event;
  const learnsOrder = conversion.txnId === null && report.txnId !== null;
  const before = JSON.stringify([
    conversion.txnId,
    conversion.networkId,
    conversion.goalId,
    conversion.status,
    String(conversion.net),
    String(conversion.fee),
    String(conversion.orderValue),
  ]);
  conversion.txnId ??= report.txnId;
  conversion.networkId ??= report.networkId;
  conversion.goalId ??= report.goalId;
  const mayRaise = event.mayRaise && event.receivedAt >= conversion.changedAt;

  if (!isLost(report.status)) {
    const full = worth(report, offer, settings);
    const value = full === null ? null : forfeit(full, conversion.forfeited ?? 0n);
    // By what the network pays: of two worths the lower may leave the same net, after the fee or an expiry to the platform.
    if (value !== null && (value.net + value.fee < conversion.net + conversion.fee || mayRaise))
      amend(books, conversion, value, mint(), event.receivedAt);
    const { orderValue } = report;
    if (orderValue !== null && (conversion.orderValue === null || orderValue < conversion.orderValue || mayRaise))
      conversion.orderValue = orderValue;
  }

  if (rank(report.status) > rank(conversion.status)) {
    conversion.status = report.status;
    if (isLost(report.status)) reverse(books, conversion, 'reversed', report.status, event.receivedAt);
  } else if (mayRaise && isLost(conversion.status) && !isLost(report.status) && !isOrderTaken) {
    conversion.status = report.status;
    const { verdict } = conversion;
    if (rewardOf(conversion).status === 'reversed' && verdict !== 'reject')
      revive(books, conversion, VERDICT_STATUS[verdict], event.receivedAt);
  }
  if (learnsOrder && isOrderTaken && isPending(rewardOf(conversion).status))
    reverse(books, conversion, 'rejected', 'duplicate_order', event.receivedAt);

  const after = JSON.stringify([
    conversion.txnId,
    conversion.networkId,
    conversion.goalId,
    conversion.status,
    String(conversion.net),
    String(conversion.fee),
    String(conversion.orderValue),
  ]);
  if (before === after) return false;
  conversion.isChanged = true;
  conversion.changedAt = Math.max(conversion.changedAt, event.receivedAt);
  return true;
}

/**
 * The most of a shopper's conversions that any window with `at` in it holds, the new one included. The window may begin before or end after it, because
 * postbacks overtake each other: whichever comes as the fifth within one is the one too many, and none is that no window of five holds.
 */
export function countInWindow(times: readonly number[], at: number, windowHours: number): number {
  const window = windowHours * HOUR_MS;
  const near = times.filter((time) => Math.abs(time - at) < window);
  const begins = [at, ...near.filter((time) => time < at)];
  return 1 + Math.max(...begins.map((begin) => near.filter((time) => time >= begin && time < begin + window).length));
}

/** True for a sale that the network does not pay for. */
export function isLost(status: NetworkStatus): boolean {
  return status === 'cancelled' || status === 'rejected';
}

const VERDICT_STATUS = { clear: 'pending', review: 'review', reject: 'rejected' } as const satisfies Record<
  Verdict,
  string
>;

function rank(status: NetworkStatus): number {
  return status === 'pending' ? 0 : status === 'approved' ? 1 : 2;
}

function isOfClick(
  conversion: Conversion,
  click: EventClick | null,
  context: Pick<ClickContext, 'linkId' | 'visitorId'> | null,
): boolean {
  if (click === null || conversion.clickId !== click.clickId) return false;
  const name = click.kind === 'reference' ? click : context;
  return name === null || (conversion.linkId === name.linkId && conversion.visitorId === name.visitorId);
}

function sameOrUnknown(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b;
}
