import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Settled } from './conversion.ts';
import type { Posting } from './journal.ts';
import { lesser, type Paise } from './money.ts';
import {
  giveBack,
  noSettlement,
  type PayeeState,
  payeeKey,
  payeesOf,
  type QueuedPayout,
  type Settlement,
  settle,
  workOff,
} from './settlement.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const USER = '00000000-0000-4000-8000-000000000002';
const CURRENCY = 'INR';
const KEY = { tenantId: TENANT, side: 'shopper' as const, payee: USER, currency: CURRENCY };
const CREATOR = { tenantId: TENANT, side: 'creator' as const, payee: TENANT, currency: CURRENCY };

type Item = { convId: bigint; payoutId: string | null; eventId: string; amount: Paise };
type Payout = { payoutId: string; amount: Paise; status: 'queued' | 'sending' | 'issued' | 'over' };

/** One shopper's books as the database keeps them: what is loaded before a settlement is made of this, and what it says is written into it. */
class Books {
  readonly worth = new Map<bigint, Paise>();
  readonly payouts: Payout[] = [];
  items: Item[] = [];
  account = { available: 0n, reserved: 0n, receivable: 0n };
  postings: Posting[] = [];
  #count = 0;

  number(): number {
    this.#count += 1;
    return this.#count;
  }

  load(): Map<string, PayeeState> {
    const covered = (convId: bigint) =>
      this.items.filter((item) => item.convId === convId).reduce((sum, { amount }) => sum + amount, 0n);
    const shares = [...this.worth].map(([convId, net]) => ({ convId, ledId: convId, net, covered: covered(convId) }));
    const queued = this.payouts
      .filter(({ status }) => status === 'queued')
      .map((payout) => this.withItems(payout))
      .reverse();
    const settled = this.items
      .filter((item) => item.payoutId === null)
      .map(({ convId, eventId, amount }) => ({ ledId: convId, convId, eventId, amount }));
    const nothing = {
      account: { ...CREATOR, available: 0n, reserved: 0n, receivable: 0n },
      shares: [],
      queued: [],
      settled: [],
    };
    const creator: PayeeState = {
      ...nothing,
      shares: shares.map((share) => ({ ...share, net: 0n, covered: 0n })),
    };
    return new Map([
      [payeeKey(KEY), { account: { ...KEY, ...this.account }, shares, queued, settled }],
      [payeeKey(CREATOR), creator],
    ]);
  }

  withItems({ payoutId, amount }: Payout): QueuedPayout {
    return { payoutId, amount, items: this.items.filter((item) => item.payoutId === payoutId) };
  }

  write(states: ReadonlyMap<string, PayeeState>, out: Settlement): void {
    const state = states.get(payeeKey(KEY));
    if (state === undefined) throw new Error('no such payee');
    const { available, reserved, receivable } = state.account;
    this.account = { available, reserved, receivable };
    this.postings.push(...out.postings);
    for (const payoutId of out.cancelled) this.end(payoutId);
    const reversed = out.returned.filter(({ side }) => side === 'shopper').map(({ convId }) => convId);
    this.items = this.items.filter(
      (item) =>
        !reversed.includes(item.convId) &&
        !out.undone.some(
          (gone) => gone.ledId === item.convId && gone.eventId === item.eventId && item.payoutId === null,
        ),
    );
    for (const convId of reversed) this.worth.delete(convId);
    for (const item of out.items) {
      const isTaken = this.items.some((other) => other.convId === item.ledId && other.eventId === item.eventId);
      expect(isTaken, `item ${item.ledId} ${item.eventId} written twice`).toBe(false);
      this.items.push({ convId: item.ledId, payoutId: null, eventId: item.eventId, amount: item.amount });
    }
  }

  end(payoutId: string): void {
    this.items = this.items.filter((item) => item.payoutId !== payoutId);
    const payout = this.payouts.find((candidate) => candidate.payoutId === payoutId);
    if (payout) payout.status = 'over';
  }

  open(): Paise {
    const [state] = this.load().values();
    return (state?.shares ?? []).reduce((sum, { net, covered }) => sum + (net > covered ? net - covered : 0n), 0n);
  }
}

function released(books: Books, amount: Paise): void {
  const convId = BigInt(books.number());
  books.worth.set(convId, amount);
  const states = books.load();
  const out = noSettlement();
  for (const state of states.values()) {
    if (state.account.side === 'creator') continue;
    state.account.available += amount;
    workOff(out, state, `l${convId}.settlement`);
  }
  books.write(states, out);
}

function reserved(books: Books, most: Paise): void {
  let left = lesser(most, books.account.available);
  if (left === 0n) return;
  const payoutId = `p${books.number()}`;
  books.payouts.push({ payoutId, amount: left, status: 'queued' });
  books.account.available -= left;
  books.account.reserved += left;
  const [state] = books.load().values();
  for (const { convId, net, covered } of state?.shares ?? []) {
    const part = lesser(net > covered ? net - covered : 0n, left);
    if (part > 0n) books.items.push({ convId, payoutId, eventId: `${payoutId}.reservation`, amount: part });
    left -= part;
  }
  expect(left, 'the rewards cover the payout').toBe(0n);
}

function changed(books: Books, convId: bigint, change: Paise, kind: 'amendment' | 'reversal'): void {
  const number = books.number();
  const row = kind === 'amendment' ? ({ ledId: BigInt(number) } as Settled['row']) : null;
  const conversion = { convId, tenantId: TENANT, userId: USER, visitorId: null, currency: CURRENCY, rounds: 0 };
  const states = books.load();
  const settled = {
    ...{ conversion: conversion as Settled['conversion'], kind, eventId: `c${convId}.${kind}.${number}`, row },
    change: { user: change, creator: 0n, fee: 0n },
  };
  books.worth.set(convId, (books.worth.get(convId) ?? 0n) + change);
  books.write(states, settle(states, [settled]));
}

function returned(books: Books, payout: Payout, from: 'reserved' | 'voucher'): void {
  payout.status = 'sending';
  const states = books.load();
  const out = noSettlement();
  for (const state of states.values())
    if (state.account.side === 'shopper') giveBack(out, state, books.withItems(payout), from);
  books.end(payout.payoutId);
  books.write(states, out);
}

const step = fc.oneof(
  fc.record({ do: fc.constant('release' as const), amount: fc.bigInt(1n, 500n) }),
  fc.record({ do: fc.constant('reserve' as const), amount: fc.bigInt(1n, 900n) }),
  fc.record({ do: fc.constant('amend' as const), which: fc.nat(9), amount: fc.bigInt(-400n, 400n) }),
  fc.record({ do: fc.constant('reverse' as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant('send' as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant('issue' as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant('return' as const), which: fc.nat(9) }),
);

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(from.length, 1)];
}

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function take(books: Books, action: Step): void {
  if (action.do === 'release') released(books, action.amount);
  else if (action.do === 'reserve') reserved(books, action.amount);
  else if (action.do === 'amend' || action.do === 'reverse') change(books, action);
  else {
    const alive = books.payouts.filter(({ status }) => status !== 'over');
    const payout = pick(alive, action.which);
    if (payout === undefined) return;
    if (action.do === 'send' && payout.status === 'queued') payout.status = 'sending';
    if (action.do === 'issue' && payout.status === 'sending') {
      payout.status = 'issued';
      books.account.reserved -= payout.amount;
    }
    if (action.do === 'return') returned(books, payout, payout.status === 'issued' ? 'voucher' : 'reserved');
  }
}

function change(books: Books, action: Extract<Step, { do: 'amend' | 'reverse' }>): void {
  const [convId, worth] = pick([...books.worth], action.which) ?? [];
  if (convId === undefined || worth === undefined) return;
  if (action.do === 'reverse') {
    changed(books, convId, -worth, 'reversal');
    return;
  }
  const by = worth + action.amount < 0n ? -worth : action.amount;
  if (by !== 0n) changed(books, convId, by, 'amendment');
}

describe('I10: what a payee may be paid stands on rewards that are not used up', () => {
  it('whatever is released, amended, reversed, reserved, issued and given back, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const books = new Books();
        for (const action of steps) {
          take(books, action);
          expect(books.account.available, `open rewards after ${action.do}`).toBe(books.open());
          expect(books.account.available >= 0n && books.account.reserved >= 0n && books.account.receivable >= 0n).toBe(
            true,
          );
        }
      }),
      { numRuns: 400 },
    );
  });

  it('a payout refused after its reward was amended down while another reward paid for it: that one is free again', () => {
    const books = new Books();
    released(books, 300n);
    reserved(books, 300n);
    released(books, 500n);
    const [payout] = books.payouts;
    if (payout === undefined) throw new Error('no payout');
    payout.status = 'sending';
    changed(books, 1n, -200n, 'amendment');
    expect(books.account).toEqual({ available: 300n, reserved: 300n, receivable: 0n });
    returned(books, payout, 'reserved');
    expect(books.account).toEqual({ available: 600n, reserved: 0n, receivable: 0n });
    expect(books.items).toEqual([]);
  });

  it('a paid reward amended down and then raised: what other rewards had stood in for is free again, the newest first (money rule 12)', () => {
    const books = new Books();
    for (const amount of [300n, 200n, 100n]) released(books, amount);
    reserved(books, 450n);
    for (const payout of books.payouts) payout.status = 'sending';
    // 200 of the first are used up by what the card was too much: 50 of the second, 100 of the third, and 50 are owed.
    changed(books, 1n, -200n, 'amendment');
    expect(books.account).toEqual({ available: 0n, reserved: 450n, receivable: 50n });
    expect(
      books.items.filter(({ payoutId }) => payoutId === null).map(({ convId, amount }) => [convId, amount]),
    ).toEqual([
      [2n, 50n],
      [3n, 100n],
    ]);
    // 120 more: 50 work the debt off, and the newest reward is owed 70 again.
    changed(books, 1n, 120n, 'amendment');
    expect(books.account).toEqual({ available: 70n, reserved: 450n, receivable: 0n });
    expect(
      books.items.filter(({ payoutId }) => payoutId === null).map(({ convId, amount }) => [convId, amount]),
    ).toEqual([
      [2n, 50n],
      [3n, 30n],
    ]);
  });
});

it('every conversion’s two payees are known by their keys', () => {
  const conversion = { tenantId: TENANT, userId: USER, visitorId: null, currency: CURRENCY } as Settled['conversion'];
  expect(payeesOf(conversion)).toEqual([CREATOR, KEY]);
});
