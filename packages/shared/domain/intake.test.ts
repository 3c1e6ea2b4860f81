import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLICK, MemoryBooks, NOON, OFFER, report, SETTINGS } from './books.fake.ts';
import { type Conversion, rewardOf } from './conversion.ts';
import { aliasesOf, countInWindow, type IntakeEvent, matchConversion, refusal, worth } from './intake.ts';
import type { ConversionReport, NetworkStatus } from './postback.ts';

const DAY = 86_400_000;
const ref = { at: NOON };

/** What is left when all is said: state, money, and the ledger's sum, whatever rows it took. */
function ending(memory: MemoryBooks) {
  return {
    conversions: memory.conversions.map((c) => ({
      status: c.status,
      reward: rewardOf(c).status,
      net: c.net,
      txnId: c.txnId,
      networkId: c.networkId,
      orderValue: c.orderValue,
      rows: c.ledger.reduce((sum, row) => sum + row.user + row.creator, 0n),
    })),
    balances: memory.balances(),
  };
}

describe('events of one sale converge (money rule 4, fault 11)', () => {
  const statuses: NetworkStatus[] = ['pending', 'approved', 'cancelled', 'rejected'];
  const amount = fc.constantFrom(100_000n, 50_000n, 30_000n, 1n, 0n);
  const said = fc.record({ status: fc.constantFrom(...statuses), orderValue: amount });

  test('postbacks in any order, doubled at will, end with the highest status and the lowest amount that was not lost', () => {
    fc.assert(
      fc.property(
        fc
          .array(said, { minLength: 1, maxLength: 5 })
          .chain((events) =>
            fc.tuple(
              fc.constant(events),
              fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
            ),
          ),
        ([events, shuffled]) => {
          const lost = events.some(({ status }) => status === 'cancelled' || status === 'rejected');
          const straight = new MemoryBooks();
          for (const event of events) straight.take(report(event), ref);
          const mixed = new MemoryBooks();
          for (const event of shuffled) mixed.take(report(event), ref);
          const [a, b] = [ending(straight), ending(mixed)];
          expect(b.balances).toEqual(a.balances);
          expect(b.conversions).toHaveLength(1);
          expect(b.conversions[0]?.reward).toBe(lost ? 'reversed' : 'pending');
          expect(a.conversions[0]?.reward).toBe(b.conversions[0]?.reward);
          if (lost) expect(b.balances).toEqual({});
          else expect(b.conversions[0]?.net).toBe(a.conversions[0]?.net);
          for (const { net, rows } of [...a.conversions, ...b.conversions]) expect(rows).toBe(net);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('a poll after them decides, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 4 }), said, (events, last) => {
        const memory = new MemoryBooks();
        for (const event of events) memory.take(report(event), ref);
        memory.take(report({ ...last, payout: last.orderValue / 10n, networkId: 'n' }), {
          at: NOON + 1,
          mayRaise: true,
        });
        const [conversion] = ending(memory).conversions;
        const isLost = last.status === 'cancelled' || last.status === 'rejected';
        expect(conversion?.reward).toBe(isLost ? 'reversed' : 'pending');
        if (!isLost) expect(conversion?.net).toBe(last.orderValue / 10n);
        else expect(memory.balances()).toEqual({});
        expect(conversion?.rows).toBe(conversion?.net);
      }),
      { numRuns: 2_000 },
    );
  });

  test('an older poll than what changed it last raises nothing', () => {
    const memory = new MemoryBooks();
    memory.take(report({ status: 'rejected' }), { at: NOON + 10 });
    memory.take(report({ networkId: 'n', payout: 10_000n }), { at: NOON, mayRaise: true });
    expect(memory.balances()).toEqual({});
  });
});

describe('identity (money rule 1)', () => {
  const taken = (...says: Partial<ConversionReport>[]): Conversion[] => {
    const memory = new MemoryBooks();
    for (const say of says) memory.take(report(say), ref);
    return memory.conversions;
  };
  const match = (
    say: Partial<ConversionReport>,
    known: readonly Conversion[],
    clickId: bigint | null = CLICK.clickId,
  ) => matchConversion(report(say), clickId === null ? null : { kind: 'bare', clickId }, CLICK, known);

  test('a postback without ids and a later row with both are one sale, which keeps its ids', () => {
    expect(taken({ txnId: null }, { txnId: 'A1', networkId: 'n1' }, { txnId: null, networkId: 'n1' })).toMatchObject([
      { txnId: 'A1', networkId: 'n1' },
    ]);
  });

  test('other orders, offers and goals are other sales', () => {
    expect(taken({ txnId: 'A1' }, { txnId: 'A2' }, { txnId: 'A1', goalId: 'g' })).toHaveLength(2);
    const [one] = taken({});
    expect(one && match({ offerId: 8 }, [one])).toEqual({ kind: 'new' });
  });

  test('what is ambiguous is never credited', () => {
    const two = taken({ txnId: 'A1', networkId: 'n1' }, { txnId: 'A2', networkId: 'n2' });
    for (const say of [{ txnId: null }, { txnId: 'A1', networkId: 'n2' }, { txnId: 'A9', networkId: 'n1' }])
      expect(match(say, two)).toEqual({ kind: 'unmatched', reason: 'ambiguous' });
    expect(match({ networkId: 'n1', txnId: 'A1' }, two, 5n)).toEqual({ kind: 'unmatched', reason: 'ambiguous' });
  });

  test('that a sale is lost is heard by the network’s id, whatever order id it has by now', () => {
    const two = taken({ txnId: 'A1', networkId: 'n1' }, { txnId: 'A2', networkId: 'n2' });
    for (const status of ['cancelled', 'rejected'] as const) {
      expect(match({ txnId: 'A9', networkId: 'n1', status }, two)).toEqual({ kind: 'existing', conversion: two[0] });
      expect(match({ txnId: 'A1', networkId: 'n2', status }, two)).toEqual({ kind: 'unmatched', reason: 'ambiguous' });
    }
  });

  test('a row that lost our click is known by the network’s id, and by nothing else', () => {
    const one = taken({ networkId: 'n1' });
    expect(match({ networkId: 'n1' }, one, null).kind).toBe('existing');
    expect(match({ networkId: 'n9' }, one, null)).toEqual({ kind: 'unmatched', reason: 'missing_click' });
  });

  test('two different sales never share an alias, and each owns the network’s id for ever', () => {
    const aliases = taken({ txnId: 'A1', networkId: 'n1' }, { txnId: 'A2' }).flatMap(aliasesOf);
    expect(new Set(aliases).size).toBe(aliases.length);
    expect(aliases).toContain('trackier:n1');
  });
});

describe('what must hold before an event is a conversion (money rules 5 and 6)', () => {
  const event = (say: Partial<ConversionReport>, receivedAt = NOON): IntakeEvent => ({
    ...{ postbackId: 1n, receivedAt, mayRaise: false, report: report(say) },
    click: { kind: 'bare', clickId: CLICK.clickId },
  });
  // A click of the first of November, 2026.
  const click = { ...CLICK, clickId: BigInt(NOON - Date.UTC(2024, 0, 1)) << 22n };
  const publishers = new Map([
    ['mine', click.tenantId],
    ['theirs', 'another'],
  ]);
  const refused = (say: Partial<ConversionReport>, offer: typeof OFFER | undefined = OFFER, at = NOON) =>
    refusal(event(say, at), click, offer, SETTINGS, publishers);

  test.each([
    ['nothing amiss', {}, null],
    ['another offer', { offerId: 8 }, 'foreign_offer'],
    ['another tenant’s publisher', { publisherId: 'theirs' }, 'foreign_publisher'],
    ['its own publisher', { publisherId: 'mine' }, null],
    ['a publisher that nobody is', { publisherId: 'nobody' }, null],
    ['another currency', { currency: 'USD' }, 'foreign_currency'],
    ['no amount at all', { orderValue: null }, 'no_amount'],
  ] as const)('%s', (_, say, reason) => {
    expect(refused(say)).toBe(reason);
  });

  test('an offer that is not known, and one in another currency unless the event says ours', () => {
    expect(refusal(event({}), click, undefined, SETTINGS, publishers)).toBe('unknown_offer');
    expect(refused({}, { ...OFFER, currency: 'USD' })).toBe('foreign_currency');
    expect(refused({ currency: 'INR' }, { ...OFFER, currency: 'USD' })).toBeNull();
  });

  test('the attribution window counts from the click to the network’s time', () => {
    expect(refused({}, OFFER, NOON + 90 * DAY)).toBeNull();
    expect(refused({}, OFFER, NOON + 90 * DAY + 1)).toBe('click_too_old');
    expect(refused({ occurredAt: NOON + DAY }, OFFER, NOON + 200 * DAY)).toBeNull();
  });

  test('a fixed payout needs no sale amount', () => {
    expect(worth(report({ orderValue: null }), { ...OFFER, pct: null, fixed: '60.00' }, SETTINGS)).toEqual({
      net: 6_000n,
      fee: 0n,
    });
    expect(worth(report({}), OFFER, { fee: 1_000n })).toEqual({ net: 9_000n, fee: 1_000n });
  });
});

test('velocity counts windows that begin before or end after a sale, so that whichever comes as the fifth is the one too many', () => {
  const hour = 3_600_000;
  const counted = (...hours: number[]) =>
    countInWindow(
      hours.map((at) => NOON + at * hour),
      NOON,
      24,
    );
  expect(counted()).toBe(1);
  expect(counted(-23, -23, -1, -2)).toBe(5);
  expect(counted(1, 2, 23, 23)).toBe(5);
  expect(counted(-12, -11, 5, 11)).toBe(5);
  expect(counted(0, 0)).toBe(3);
  expect(counted(-24, 24)).toBe(1);
  // Two before and two after, and no 24 hours that hold more than three.
  expect(counted(-23, -23, 23, 23)).toBe(3);
  expect(counted(-12, 12)).toBe(2);
});

test('velocity finds as many sales too many in whatever order they arrive', () => {
  const hour = 3_600_000;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 9 }), (hours) => {
      const sales = hours.map((at) => NOON + at * hour);
      const inOrder = sales.toSorted((a, b) => a - b);
      const isTooMany = (given: readonly number[]) =>
        given.some((at, index) => countInWindow(given.slice(0, index), at, 24) >= 5);
      expect(isTooMany(sales)).toBe(isTooMany(inOrder));
    }),
    { numRuns: 2_000 },
  );
});
