import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { balancesOf, CLICK, MemoryBooks, NOON, report } from './books.fake.ts';
import { amend, type Books, type Conversion, payeeOf, reverse, revive, rewardOf } from './conversion.ts';
import type { FraudDecision } from './fraud.ts';
import { NOBODY } from './journal.ts';
import { splitCommission } from './split.ts';

function sale(decision?: FraudDecision): { conversion: Conversion; books: Books } {
  const memory = new MemoryBooks();
  memory.take(report(), { at: NOON, ...(decision && { decision }) });
  const [conversion] = memory.conversions;
  if (conversion === undefined) throw new Error('no sale');
  return { conversion, books: memory.books };
}
const total = (conversion: Conversion): bigint =>
  conversion.ledger.reduce((sum, row) => sum + row.user + row.creator, 0n);

describe('a reward in its pending accounts', () => {
  test('is posted whole at its birth, and not at all when fraud refused it', () => {
    const { tenantId, userId } = CLICK;
    expect(balancesOf(sale().books.postings)).toEqual({
      [`network:${tenantId}`]: -10_000n,
      [`shopper:pending:${tenantId}:${userId}`]: 5_000n,
      [`creator:pending:${tenantId}:${tenantId}`]: 5_000n,
    });
    const refused = sale({ verdict: 'reject', score: 0, rules: ['self_purchase'] });
    expect(refused.books.postings).toEqual([]);
    expect(rewardOf(refused.conversion)).toMatchObject({ status: 'rejected', reason: 'self_purchase' });
  });

  test('through any amendments, reversals and revivals sums to what it is worth, and each event is new', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('amend' as const),
        net: fc.bigInt({ min: 0n, max: 10n ** 9n }),
        fee: fc.bigInt({ min: 0n, max: 10n ** 6n }),
      }),
      fc.record({ do: fc.constantFrom('reverse' as const, 'refuse' as const, 'revive' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { conversion, books } = sale();
        let id = 1n;
        for (const one of steps) {
          id += 1n;
          const { status } = rewardOf(conversion);
          if (one.do === 'amend') amend(books, conversion, one, id, NOON);
          else if (one.do === 'revive') {
            if (status === 'reversed' || status === 'rejected') revive(books, conversion, 'pending', NOON);
          } else reverse(books, conversion, one.do === 'refuse' ? 'rejected' : 'reversed', 'test', NOON);
        }
        expect(total(conversion)).toBe(conversion.net);
        const balances = balancesOf(books.postings);
        expect(Object.values(balances).reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
        const isLive = rewardOf(conversion).status === 'pending';
        const { user, creator } = splitCommission(conversion.net, conversion.share);
        expect(balances[`shopper:pending:${CLICK.tenantId}:${CLICK.userId}`] ?? 0n).toBe(isLive ? user : 0n);
        expect(balances[`creator:pending:${CLICK.tenantId}:${CLICK.tenantId}`] ?? 0n).toBe(isLive ? creator : 0n);
        const keys = books.postings.map(({ eventId, account }) => `${eventId} ${account}`);
        expect(new Set(keys).size).toBe(keys.length);
        expect(new Set(conversion.ledger.map(({ seq }) => seq)).size).toBe(conversion.ledger.length);
      }),
      { numRuns: 3_000 },
    );
  });

  test('that nobody is known for waits under its visitor, else under nobody', () => {
    expect(payeeOf({ userId: 'u', visitorId: 'v' })).toBe('u');
    expect(payeeOf({ userId: null, visitorId: 'v' })).toBe('v');
    expect(payeeOf({ userId: null, visitorId: null })).toBe(NOBODY);
  });

  test('that is released is not touched here: the change is settled under the payees’ locks', () => {
    const { conversion, books } = sale();
    for (const row of conversion.ledger) row.status = 'confirmed';
    const before = books.postings.length;
    amend(books, conversion, { net: 8_000n, fee: 0n }, 5n, NOON);
    reverse(books, conversion, 'reversed', 'cancelled', NOON);
    expect(books.postings).toHaveLength(before);
    expect(books.settled.map(({ kind, change }) => [kind, change.user, change.creator])).toEqual([
      ['amendment', -1_000n, -1_000n],
      ['reversal', -4_000n, -4_000n],
    ]);
  });

  test('a paid reward that grows has more to be paid', () => {
    const { conversion, books } = sale();
    for (const row of conversion.ledger) row.status = 'paid';
    amend(books, conversion, { net: 12_000n, fee: 0n }, 5n, NOON);
    expect(conversion.ledger.at(-1)).toMatchObject({ user: 1_000n, status: 'confirmed' });
  });
});
