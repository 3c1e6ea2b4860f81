import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { balancesOf, MemoryBooks, NOON, report } from './books.fake.ts';
import { type Conversion, payeeOf } from './conversion.ts';
import { expire } from './expiry.ts';
import { release } from './release.ts';
import { type PayeeState, payeeKey, payeesOf, settle } from './settlement.ts';

const DAY = 86_400_000;

/** A sale in the books, and the accounts of its payees, which owe what is given. */
function sale(owed = 0n): { memory: MemoryBooks; conversion: Conversion; states: Map<string, PayeeState> } {
  const memory = new MemoryBooks();
  memory.take(report(), { at: NOON });
  const [conversion] = memory.conversions;
  if (conversion === undefined) throw new Error('no sale');
  const share = { convId: conversion.convId, ledId: conversion.ledger[0]?.ledId ?? 0n, net: 0n, covered: 0n };
  const states = new Map(
    payeesOf(conversion).map((key): [string, PayeeState] => [
      payeeKey(key),
      {
        account: { ...key, available: 0n, reserved: 0n, receivable: owed },
        shares: [{ ...share }],
        queued: [],
        settled: [],
      },
    ]),
  );
  return { memory, conversion, states };
}
const money = (states: ReadonlyMap<string, PayeeState>) =>
  [...states.values()].map(({ account }) => [account.side, account.available, account.receivable]);

describe('a release', () => {
  test('moves both sides from pending to available, once an event, and confirms every row', () => {
    const { memory, conversion, states } = sale();
    memory.take(report({ orderValue: 60_000n }), { at: NOON + 1 });
    const { postings } = release(states, [conversion], NOON + 31 * DAY);
    expect(conversion.ledger.map((row) => row.status)).toEqual(['confirmed', 'confirmed']);
    expect(money(states)).toEqual([
      ['creator', 3_000n, 0n],
      ['shopper', 3_000n, 0n],
    ]);
    const { tenantId } = conversion;
    expect(balancesOf([...memory.books.postings, ...postings])).toEqual({
      [`network:${tenantId}`]: -6_000n,
      [`shopper:available:${tenantId}:${payeeOf(conversion)}`]: 3_000n,
      [`creator:available:${tenantId}:${tenantId}`]: 3_000n,
    });
  });

  test('works off what a payee owes before anything is available, and marks the reward as used for it', () => {
    const { conversion, states } = sale(2_000n);
    const { items } = release(states, [conversion], NOON);
    expect(money(states)).toEqual([
      ['creator', 3_000n, 0n],
      ['shopper', 3_000n, 0n],
    ]);
    expect(items.map(({ side, amount }) => [side, amount])).toEqual([
      ['creator', 2_000n],
      ['shopper', 2_000n],
    ]);
  });

  test('then amended or reversed never makes money, nor an available balance below zero', () => {
    const after = fc.array(fc.constantFrom(100_000n, 70_000n, 30_000n, 1n, 0n, null), { maxLength: 6 });
    fc.assert(
      fc.property(after, fc.bigInt({ min: 0n, max: 20_000n }), (values, owed) => {
        const { memory, conversion, states } = sale(owed);
        const all = [...memory.books.postings, ...release(states, [conversion], NOON).postings];
        for (const [index, orderValue] of values.entries()) {
          memory.books.settled.length = 0;
          const before = memory.books.postings.length;
          const status = orderValue === null ? 'cancelled' : 'approved';
          memory.take(report({ orderValue: orderValue ?? 0n, status, networkId: 'n' }), {
            at: NOON + index + 1,
            mayRaise: true,
          });
          all.push(...memory.books.postings.slice(before), ...settle(states, memory.books.settled).postings);
          for (const { account } of states.values())
            expect(account.available >= 0n && account.receivable >= 0n).toBe(true);
        }
        expect(Object.values(balancesOf(all)).reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('an expiry', () => {
  const ended = (destination: 'creator' | 'platform', owed = 0n) => {
    const { memory, conversion, states } = sale(owed);
    let minted = 9_000n;
    const mint = (): bigint => {
      minted += 1n;
      return minted;
    };
    const { settlement, expired } = expire(states, [conversion], { destination, mint, at: NOON });
    const [after] = expired;
    if (after === undefined) throw new Error('nothing expired');
    return { all: balancesOf([...memory.books.postings, ...settlement.postings]), states, ...after };
  };

  test('gives the shopper’s part to the creator by a further row, and the share is nobody’s from then on', () => {
    const { all, conversion } = ended('creator');
    expect(all).toEqual({
      [`network:${conversion.tenantId}`]: -10_000n,
      [`creator:available:${conversion.tenantId}:${conversion.tenantId}`]: 10_000n,
    });
    expect(conversion).toMatchObject({ share: 0n, net: 10_000n, fee: 0n });
    expect(conversion.ledger.map(({ user, creator, status, reason }) => [user, creator, status, reason])).toEqual([
      [5_000n, 5_000n, 'confirmed', 'expired'],
      [-5_000n, 5_000n, 'confirmed', 'expired'],
    ]);
  });

  test('to the platform is fee, and the rows still sum to the net commission', () => {
    const { all, conversion, toPlatform } = ended('platform');
    expect(toPlatform).toBe(5_000n);
    expect(all[`fee:${conversion.tenantId}`]).toBe(5_000n);
    expect(conversion).toMatchObject({ share: 0n, forfeited: 5_000n, net: 5_000n, fee: 5_000n });
    expect(conversion.ledger.reduce((sum, row) => sum + row.user + row.creator, 0n)).toBe(conversion.net);
  });

  test('pays off what the creator owes first', () => {
    const { states } = ended('creator', 4_000n);
    expect(money(states)[0]).toEqual(['creator', 6_000n, 0n]);
  });
});
