import type { Verdict } from './fraud.ts';
import { accounts, type EventKind, eventIds, NOBODY, type Posting, postEvent } from './journal.ts';
import type { BasisPoints, Paise } from './money.ts';
import type { NetworkStatus } from './postback.ts';
import { type Split, splitCommission } from './split.ts';

export type LedgerStatus = 'pending' | 'review' | 'confirmed' | 'paid' | 'rejected' | 'reversed';

/** One row of `ledger`. Amounts in paise, signed: an amendment may take away. */
export type LedgerRow = {
  readonly ledId: bigint;
  readonly seq: number;
  readonly user: Paise;
  readonly creator: Paise;
  status: LedgerStatus;
  reason: string | null;
  /** When the status last changed, milliseconds since the Unix epoch. */
  statusAt: number;
  isNew: boolean;
  isChanged: boolean;
};

/** A conversion as it stands, with its ledger; amounts in paise, times in milliseconds since the Unix epoch. */
export type Conversion = {
  readonly convId: bigint;
  readonly tenantId: string;
  readonly occurredAt: number;
  readonly clickId: bigint;
  readonly linkId: string;
  readonly visitorId: string | null;
  readonly userId: string | null;
  readonly offerId: number;
  readonly currency: string;
  /** The shopper's share; 0 once an unclaimed reward has expired. */
  readonly share: BasisPoints;
  /** What of the net commission the platform keeps, since nobody claimed the reward. */
  readonly forfeited?: BasisPoints;
  readonly releaseAt: number;
  goalId: string | null;
  txnId: string | null;
  networkId: string | null;
  status: NetworkStatus;
  orderValue: Paise | null;
  net: Paise;
  fee: Paise;
  /** Ledger rows beside the reward; names the next one. */
  amendments: number;
  /** Reversals so far; names the next one's event. */
  rounds: number;
  /** What fraud's rules said of it. */
  verdict: Verdict;
  /** When the last event that changed it reached us. */
  changedAt: number;
  ledger: LedgerRow[];
  isNew: boolean;
  isChanged: boolean;
};

/** Money that was already released and must be taken back, or given on top: done under the payees' locks (money rule 11). */
export type Settled = {
  readonly conversion: Conversion;
  readonly kind: 'reversal' | 'amendment';
  readonly eventId: string;
  /** Paise; negative takes away. */
  readonly change: Split & { fee: Paise };
  /** The ledger row that an amendment added; null for a reversal. */
  readonly row: LedgerRow | null;
};

/** What the events of a batch did to the books, beside the rows themselves. */
export type Books = {
  postings: Posting[];
  settled: Settled[];
};

/** Whose reward it is: the shopper, else the visitor, else nobody's yet. */
export function payeeOf(conversion: { userId: string | null; visitorId: string | null }): string {
  return conversion.userId ?? conversion.visitorId ?? NOBODY;
}

/** The row of the reward itself; its status is the conversion's state in the ledger. */
export function rewardOf(conversion: Conversion): LedgerRow {
  const reward = conversion.ledger.find((row) => row.seq === 0);
  if (reward === undefined) throw new Error(`conversion ${conversion.convId} has no reward row`);
  return reward;
}

/** True while the reward's money is in the payees' pending accounts. */
export function isPending(status: LedgerStatus): boolean {
  return status === 'pending' || status === 'review';
}

/** Posts the whole of a conversion to the pending accounts: at its birth, or again when it is revived. */
export function accrue(books: Books, conversion: Conversion, kind: 'accrual' | 'revival'): void {
  const { user, creator } = splitCommission(conversion.net, conversion.share);
  const eventId =
    kind === 'accrual' ? eventIds.accrual(conversion.convId) : eventIds.revival(conversion.convId, conversion.rounds);
  postPending(books, conversion, kind, eventId, { user, creator, fee: conversion.fee });
}

/**
 * Changes what a conversion is worth: a further ledger row with the signed difference, so that its rows sum to its current
 * net commission (architecture, "Money"). A conversion without money in the books only remembers the new worth.
 * @param ledId the id for the row, should one be needed
 */
export function amend(
  books: Books,
  conversion: Conversion,
  worth: { net: Paise; fee: Paise },
  ledId: bigint,
  at: number,
): void {
  if (worth.net === conversion.net && worth.fee === conversion.fee) return;
  const reward = rewardOf(conversion);
  const before = splitCommission(conversion.net, conversion.share);
  const after = splitCommission(worth.net, conversion.share);
  const change = {
    user: after.user - before.user,
    creator: after.creator - before.creator,
    fee: worth.fee - conversion.fee,
  };
  conversion.net = worth.net;
  conversion.fee = worth.fee;
  conversion.isChanged = true;
  conversion.amendments += 1;
  const row: LedgerRow = {
    ledId,
    seq: conversion.amendments,
    user: change.user,
    creator: change.creator,
    status: reward.status,
    reason: 'amendment',
    statusAt: at,
    isNew: true,
    isChanged: false,
  };
  conversion.ledger.push(row);
  const eventId = eventIds.amendment(conversion.convId, row.seq);
  if (isPending(reward.status)) postPending(books, conversion, 'amendment', eventId, change);
  else if (reward.status === 'confirmed' || reward.status === 'paid') {
    // More money for a paid reward is a reward of its own that is still to be paid.
    if (reward.status === 'paid' && change.user > 0n) row.status = 'confirmed';
    books.settled.push({ conversion, kind: 'amendment', eventId, change, row });
  }
}

/** Takes the whole of a conversion back: the network cancelled or rejected it, or fraud refused it after it was accrued. */
export function reverse(
  books: Books,
  conversion: Conversion,
  to: 'reversed' | 'rejected',
  reason: string,
  at: number,
): void {
  const reward = rewardOf(conversion);
  if (reward.status === to || reward.status === 'reversed') return;
  const { user, creator } = splitCommission(conversion.net, conversion.share);
  const change = { user: -user, creator: -creator, fee: -conversion.fee };
  if (reward.status !== 'rejected') {
    conversion.rounds += 1;
    conversion.isChanged = true;
    const eventId = eventIds.reversal(conversion.convId, conversion.rounds);
    if (isPending(reward.status)) postPending(books, conversion, 'reversal', eventId, change);
    else books.settled.push({ conversion, kind: 'reversal', eventId, change, row: null });
  }
  for (const row of conversion.ledger) move(row, to, reason, at);
}

/** Brings a reversed or refused conversion back to life: reconciliation's and operators' word only (money rule 4). */
export function revive(books: Books, conversion: Conversion, to: 'pending' | 'review', at: number): void {
  for (const row of conversion.ledger) move(row, to, 'revived', at);
  accrue(books, conversion, 'revival');
  conversion.rounds += 1;
  conversion.isChanged = true;
}

/** Moves a ledger row; whether it may is also the database's to say. */
export function move(row: LedgerRow, status: LedgerStatus, reason: string | null, at: number): void {
  if (row.status === status) return;
  row.status = status;
  row.reason = reason;
  row.statusAt = at;
  row.isChanged = true;
}

/** The four accounts of an event on released or pending money: what the network owes is the other side of all the rest. */
export function sharedOut(
  conversion: Pick<Conversion, 'tenantId' | 'userId' | 'visitorId'>,
  bucket: 'pending' | 'available',
  change: Split & { fee: Paise },
): { account: string; amount: Paise }[] {
  const { tenantId } = conversion;
  return [
    { account: accounts.network(tenantId), amount: -(change.user + change.creator + change.fee) },
    { account: accounts.fee(tenantId), amount: change.fee },
    { account: accounts.payee('shopper', bucket, tenantId, payeeOf(conversion)), amount: change.user },
    { account: accounts.payee('creator', bucket, tenantId, tenantId), amount: change.creator },
  ];
}

function postPending(
  books: Books,
  conversion: Conversion,
  kind: EventKind,
  eventId: string,
  change: Split & { fee: Paise },
): void {
  const event = { eventId, kind, tenantId: conversion.tenantId, currency: conversion.currency };
  books.postings.push(...postEvent(event, sharedOut(conversion, 'pending', change)));
}
