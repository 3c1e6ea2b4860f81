import { payeeOf, type Settled } from './conversion.ts';
import { accounts, type EventKind, eventIds, type Posting, postEvent, type Side } from './journal.ts';
import { lesser, type Paise } from './money.ts';

/** A payee's account, held under its lock. Paise; `receivable` is what the payee owes. */
export type PayeeAccount = {
  readonly tenantId: string;
  readonly side: Side;
  readonly payee: string;
  readonly currency: string;
  available: Paise;
  reserved: Paise;
  receivable: Paise;
};

/** What one conversion's released rows are worth to a payee, and how much of it payouts or receivables have used. */
export type Share = {
  readonly convId: bigint;
  /** The reward's row, which items name. */
  readonly ledId: bigint;
  /** Sum over the rows confirmed and paid. */
  net: Paise;
  /** Sum over live payout items. */
  covered: Paise;
};

/** A payout that no call was made for yet, with the rewards it pays. */
export type QueuedPayout = {
  readonly payoutId: string;
  readonly amount: Paise;
  readonly items: readonly { convId: bigint; amount: Paise }[];
};

export type PayeeState = {
  readonly account: PayeeAccount;
  /** Conversions with something uncovered, and those that are about to change; oldest first. */
  readonly shares: Share[];
  /** Newest first; no call was made for any of them. */
  readonly queued: QueuedPayout[];
};

/** What is to be written, beside the accounts themselves. */
export type Settlement = {
  postings: Posting[];
  items: { ledId: bigint; tenantId: string; side: Side; eventId: string; amount: Paise }[];
  cancelled: string[];
  /** Conversions whose live items no longer stand for money that was kept. */
  returned: { convId: bigint; side: Side }[];
};

export function payeeKey(account: Pick<PayeeAccount, 'tenantId' | 'side' | 'payee' | 'currency'>): string {
  return `${account.tenantId} ${account.side} ${account.payee} ${account.currency}`;
}

/** The two accounts that a conversion's money belongs to. */
export function payeesOf(
  conversion: Settled['conversion'],
): Pick<PayeeAccount, 'tenantId' | 'side' | 'payee' | 'currency'>[] {
  const { tenantId, currency } = conversion;
  return [
    { tenantId, side: 'creator', payee: tenantId, currency },
    { tenantId, side: 'shopper', payee: payeeOf(conversion), currency },
  ];
}

/**
 * Moves released money (money rule 11): what is taken back comes from what is available, then from payouts that are only queued, and
 * the rest becomes a receivable; what is given on top first works one off. `states` is changed.
 */
export function settle(states: ReadonlyMap<string, PayeeState>, settled: readonly Settled[]): Settlement {
  const out: Settlement = { postings: [], items: [], cancelled: [], returned: [] };
  for (const entry of settled) {
    const { conversion, change, eventId } = entry;
    const lines = [
      { account: accounts.network(conversion.tenantId), amount: -(change.user + change.creator + change.fee) },
      { account: accounts.fee(conversion.tenantId), amount: change.fee },
    ];
    for (const key of payeesOf(conversion)) {
      const state = states.get(payeeKey(key));
      if (state === undefined) throw new Error('a payee of a settled conversion has no account');
      const amount = key.side === 'shopper' ? change.user : change.creator;
      if (amount > 0n) {
        state.account.available += amount;
        shareOf(state, conversion.convId).net += amount;
        lines.push({ account: account(state, 'available'), amount });
      } else if (amount < 0n) lines.push(...takeBack(out, state, entry, -amount));
      if (entry.kind === 'reversal') out.returned.push({ convId: conversion.convId, side: key.side });
    }
    const event = { eventId, kind: entry.kind, tenantId: conversion.tenantId, currency: conversion.currency };
    out.postings.push(...postEvent(event, lines));
    if (entry.row !== null)
      for (const key of payeesOf(conversion)) {
        const state = states.get(payeeKey(key));
        if (state !== undefined) workOff(out, state, eventIds.settlement(entry.row.ledId, key.side, conversion.rounds));
      }
  }
  return out;
}

/** Works a receivable off what is available, and marks the rewards that paid for it. */
export function workOff(out: Settlement, state: PayeeState, eventId: string): void {
  const { account: held } = state;
  const amount = lesser(held.receivable, held.available);
  if (amount === 0n) return;
  held.available -= amount;
  held.receivable -= amount;
  out.postings.push(
    ...postEvent({ eventId, kind: 'settlement', tenantId: held.tenantId, currency: held.currency }, [
      { account: account(state, 'available'), amount: -amount },
      { account: account(state, 'receivable'), amount },
    ]),
  );
  cover(out, state, eventId, amount);
}

function takeBack(
  out: Settlement,
  state: PayeeState,
  entry: Settled,
  need: Paise,
): { account: string; amount: Paise }[] {
  const { account: held } = state;
  while (held.available < need) {
    const payout = state.queued.shift();
    if (payout === undefined) break;
    cancel(out, state, payout);
  }
  const share = shareOf(state, entry.conversion.convId);
  const before = uncovered(share);
  share.net = entry.kind === 'reversal' ? share.covered : share.net - need;
  const gone = before - uncovered(share);
  const taken = lesser(need, held.available);
  held.available -= taken;
  held.receivable += need - taken;
  if (taken > gone) cover(out, state, entry.eventId, taken - gone);
  return [
    { account: account(state, 'available'), amount: -taken },
    { account: account(state, 'receivable'), amount: -(need - taken) },
  ];
}

function shareOf(state: PayeeState, convId: bigint): Share {
  const share = state.shares.find((candidate) => candidate.convId === convId);
  if (share === undefined) throw new Error(`conversion ${convId} was not loaded with its payee`);
  return share;
}

/** What is still to be paid of a conversion; more covered than it is worth is nothing, not less. */
function uncovered(share: Share): Paise {
  return share.net > share.covered ? share.net - share.covered : 0n;
}

function cancel(out: Settlement, state: PayeeState, payout: QueuedPayout): void {
  const { account: held } = state;
  held.available += payout.amount;
  held.reserved -= payout.amount;
  for (const item of payout.items) {
    const share = state.shares.find((candidate) => candidate.convId === item.convId);
    if (share !== undefined) share.covered -= item.amount;
  }
  out.cancelled.push(payout.payoutId);
  const eventId = eventIds.return(payout.payoutId);
  out.postings.push(
    ...postEvent({ eventId, kind: 'return' satisfies EventKind, tenantId: held.tenantId, currency: held.currency }, [
      { account: account(state, 'reserved'), amount: -payout.amount },
      { account: account(state, 'available'), amount: payout.amount },
    ]),
  );
}

/** Uses up uncovered rewards, oldest first, so that no payout is allocated to them again. */
function cover(out: Settlement, state: PayeeState, eventId: string, amount: Paise): void {
  let left = amount;
  for (const share of state.shares) {
    if (left === 0n) return;
    const open = uncovered(share);
    if (open === 0n) continue;
    const part = lesser(open, left);
    share.covered += part;
    left -= part;
    const { tenantId, side } = state.account;
    out.items.push({ ledId: share.ledId, tenantId, side, eventId, amount: part });
  }
}

function account(state: PayeeState, bucket: 'available' | 'reserved' | 'receivable'): string {
  const { side, tenantId, payee } = state.account;
  return accounts.payee(side, bucket, tenantId, payee);
}
