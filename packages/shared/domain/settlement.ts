import { payeeOf, type Settled } from './conversion.ts';
import { accounts, type EventKind, eventIds, type Posting, postEvent, type Side } from './journal.ts';
import { lesser, type Paise } from './money.ts';

export type PayeeKey = Pick<PayeeAccount, 'tenantId' | 'side' | 'payee' | 'currency'>;

/** Released money that is about to be taken from a payee, and given to it. Paise, neither below zero. */
export type PayeeMove = PayeeKey & { readonly taken: Paise; readonly given: Paise };

/** A conversion as one of its payees has it; `occurredAt` in milliseconds since the Unix epoch. */
export type RewardKey = PayeeKey & { readonly convId: bigint; readonly occurredAt: number };

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

/** A payout that may be given back, with the rewards it pays. */
export type QueuedPayout = {
  readonly payoutId: string;
  readonly amount: Paise;
  readonly items: readonly { convId: bigint; amount: Paise }[];
};

/** An item without a payout: a reward that was used up for a receivable or for what another reward was amended by. */
export type SettledItem = {
  readonly ledId: bigint;
  readonly convId: bigint;
  readonly eventId: string;
  amount: Paise;
};

export type PayeeState = {
  readonly account: PayeeAccount;
  /**
   * Those that are about to change, the oldest with something uncovered, and the newest that were used up for a debt; as many of both as what is about to
   * move could reach. Oldest first.
   */
  readonly shares: Share[];
  /** Newest first; no call was made for any of them. None where what is available suffices. */
  readonly queued: QueuedPayout[];
  /** Live ones, in any order; of shares that are loaded. */
  readonly settled: SettledItem[];
};

/** What is to be written, beside the accounts themselves. */
export type Settlement = {
  postings: Posting[];
  items: { ledId: bigint; tenantId: string; side: Side; eventId: string; amount: Paise }[];
  cancelled: string[];
  /** Conversions whose live items no longer stand for money that was kept. */
  returned: { convId: bigint; tenantId: string; occurredAt: number; side: Side }[];
  /** Items that are no longer needed; what still is of one is written again among `items`. */
  undone: { ledId: bigint; side: Side; eventId: string }[];
};

export function noSettlement(): Settlement {
  return { postings: [], items: [], cancelled: [], returned: [], undone: [] };
}

export function payeeKey(account: PayeeKey): string {
  return `${account.tenantId} ${account.side} ${account.payee} ${account.currency}`;
}

/** The two accounts that a conversion's money belongs to. */
export function payeesOf(conversion: Settled['conversion']): PayeeKey[] {
  const { tenantId, currency } = conversion;
  return [
    { tenantId, side: 'creator', payee: tenantId, currency },
    { tenantId, side: 'shopper', payee: payeeOf(conversion), currency },
  ];
}

/** Conversions as their payees have them. */
export function rewardsOf(conversions: readonly Settled['conversion'][]): RewardKey[] {
  return conversions.flatMap((conversion) =>
    payeesOf(conversion).map((key) => ({ ...key, convId: conversion.convId, occurredAt: conversion.occurredAt })),
  );
}

/** What these changes take from their payees and give them. */
export function movesOf(settled: readonly Settled[]): PayeeMove[] {
  return settled.flatMap(({ conversion, change }) =>
    payeesOf(conversion).map((key) => {
      const amount = key.side === 'shopper' ? change.user : change.creator;
      return { ...key, taken: amount < 0n ? -amount : 0n, given: amount > 0n ? amount : 0n };
    }),
  );
}

/**
 * Moves released money (money rule 11): what is taken back comes from what is available, then from payouts that are only queued, and
 * the rest becomes a receivable; what is given on top first works one off. `states` is changed.
 *
 * Throughout, what a payee may be paid stands on rewards that are not used up (invariant I10): `available` and the uncovered rewards change alike.
 */
export function settle(states: ReadonlyMap<string, PayeeState>, settled: readonly Settled[]): Settlement {
  const out = noSettlement();
  for (const entry of settled) {
    const { conversion, change, eventId } = entry;
    const lines = [
      { account: accounts.network(conversion.tenantId), amount: -(change.user + change.creator + change.fee) },
      { account: accounts.fee(conversion.tenantId), amount: change.fee },
    ];
    const spare = new Map<PayeeState, Paise>();
    for (const key of payeesOf(conversion)) {
      const state = states.get(payeeKey(key));
      if (state === undefined) throw new Error('a payee of a settled conversion has no account');
      const amount = key.side === 'shopper' ? change.user : change.creator;
      if (amount > 0n) {
        const share = shareOf(state, conversion.convId);
        const before = uncovered(share);
        share.net += amount;
        state.account.available += amount;
        spare.set(state, amount - (uncovered(share) - before));
        lines.push({ account: account(state, 'available'), amount });
      } else if (amount < 0n) lines.push(...takeBack(out, state, entry, -amount));
      if (entry.kind === 'reversal') {
        const { convId, tenantId, occurredAt } = conversion;
        out.returned.push({ convId, tenantId, occurredAt, side: key.side });
        forget(out, state, conversion.convId);
      }
    }
    const event = { eventId, kind: entry.kind, tenantId: conversion.tenantId, currency: conversion.currency };
    out.postings.push(...postEvent(event, lines));
    if (entry.row !== null)
      for (const key of payeesOf(conversion)) {
        const state = states.get(payeeKey(key));
        if (state === undefined) continue;
        workOff(out, state, eventIds.settlement(entry.row.ledId, key.side, conversion.rounds), spare.get(state) ?? 0n);
      }
  }
  return out;
}

/**
 * Works a receivable off what is available, and marks the rewards that paid for it.
 *
 * @param spare how much of what became available is not matched by a reward that is uncovered again, in paise: other rewards stood in for it, which are
 * free now. What the receivable takes is taken from that first.
 */
export function workOff(out: Settlement, state: PayeeState, eventId: string, spare: Paise = 0n): void {
  const { account: held } = state;
  const amount = lesser(held.receivable, held.available);
  if (amount > 0n) {
    held.available -= amount;
    held.receivable -= amount;
    out.postings.push(
      ...postEvent({ eventId, kind: 'settlement', tenantId: held.tenantId, currency: held.currency }, [
        { account: account(state, 'available'), amount: -amount },
        { account: account(state, 'receivable'), amount },
      ]),
    );
  }
  if (amount > spare) cover(out, state, eventId, amount - spare);
  else uncover(out, state, eventId, spare - amount);
}

/**
 * Gives a payout's money back: there is certainly no live card. The rewards behind it are free again, as far as they are still worth it; what the
 * payee owes is worked off first. `state` is changed.
 *
 * @param from where the money is: reserved, or in a card that was cancelled
 */
export function giveBack(
  out: Settlement,
  state: PayeeState,
  payout: QueuedPayout,
  from: 'reserved' | 'voucher' = 'reserved',
): void {
  const { account: held } = state;
  held.available += payout.amount;
  if (from === 'reserved') held.reserved -= payout.amount;
  let freed = 0n;
  for (const item of payout.items) {
    const share = state.shares.find((candidate) => candidate.convId === item.convId);
    if (share === undefined) continue;
    const before = uncovered(share);
    share.covered -= item.amount;
    freed += uncovered(share) - before;
  }
  const eventId = eventIds.return(payout.payoutId);
  out.postings.push(
    ...postEvent({ eventId, kind: 'return' satisfies EventKind, tenantId: held.tenantId, currency: held.currency }, [
      {
        account: from === 'reserved' ? account(state, 'reserved') : accounts.vouchers(held.tenantId),
        amount: -payout.amount,
      },
      { account: account(state, 'available'), amount: payout.amount },
    ]),
  );
  workOff(out, state, `${eventId}.settlement`, payout.amount - freed);
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
    out.cancelled.push(payout.payoutId);
    giveBack(out, state, payout);
  }
  const share = shareOf(state, entry.conversion.convId);
  const before = uncovered(share);
  share.net = entry.kind === 'reversal' ? 0n : share.net - need;
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

/** A reversed conversion is worth nothing and pays for nothing: whatever was covered by it is not any more. */
function forget(out: Settlement, state: PayeeState, convId: bigint): void {
  const share = state.shares.find((candidate) => candidate.convId === convId);
  if (share === undefined) return; // nobody's: nothing of it was ever paid
  share.net = 0n;
  share.covered = 0n;
  for (const [index, payout] of state.queued.entries())
    state.queued[index] = { ...payout, items: payout.items.filter((item) => item.convId !== convId) };
  for (const item of state.settled.filter((candidate) => candidate.convId === convId)) {
    state.settled.splice(state.settled.indexOf(item), 1);
    const unwritten = out.items.findIndex((written) => isSame(written, item, state.account.side));
    if (unwritten >= 0) out.items.splice(unwritten, 1);
  }
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
    write(out, state, { ledId: share.ledId, convId: share.convId, eventId, amount: part });
  }
}

/**
 * Frees rewards that were used up for what has come back: the opposite of `cover`, and so the newest first. What a reward is used up beyond its worth
 * frees nothing when it goes, so it goes along with what does.
 */
function uncover(out: Settlement, state: PayeeState, eventId: string, amount: Paise): void {
  let left = amount;
  for (const share of state.shares.toReversed()) {
    if (left <= 0n) return;
    const items = state.settled.filter(({ convId }) => convId === share.convId);
    const over = overcovered(share);
    const freed = lesser(items.reduce((sum, item) => sum + item.amount, 0n) - over, left);
    if (freed <= 0n) continue;
    share.covered -= freed + over;
    left -= freed;
    undo(out, state, eventId, items, freed + over);
  }
}

/** Takes back so much of what one reward was used up for; what is left of an item is written again. */
function undo(out: Settlement, state: PayeeState, eventId: string, items: readonly SettledItem[], amount: Paise): void {
  const { side } = state.account;
  let left = amount;
  for (const item of items.toReversed()) {
    if (left === 0n) return;
    const part = lesser(item.amount, left);
    left -= part;
    state.settled.splice(state.settled.indexOf(item), 1);
    const unwritten = out.items.findIndex((written) => isSame(written, item, side));
    if (unwritten >= 0) out.items.splice(unwritten, 1);
    else out.undone.push({ ledId: item.ledId, side, eventId: item.eventId });
    if (item.amount > part) write(out, state, { ...item, eventId, amount: item.amount - part });
  }
}

function overcovered(share: Share): Paise {
  return share.covered > share.net ? share.covered - share.net : 0n;
}

function write(out: Settlement, state: PayeeState, item: SettledItem): void {
  const { tenantId, side } = state.account;
  state.settled.push(item);
  out.items.push({ ledId: item.ledId, tenantId, side, eventId: item.eventId, amount: item.amount });
}

function isSame(written: Settlement['items'][number], item: SettledItem, side: Side): boolean {
  return written.ledId === item.ledId && written.side === side && written.eventId === item.eventId;
}

function account(state: PayeeState, bucket: 'available' | 'reserved' | 'receivable'): string {
  const { side, tenantId, payee } = state.account;
  return accounts.payee(side, bucket, tenantId, payee);
}
