import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePaise, WHOLE } from './money.ts';
import { AMOUNT_LIMIT } from './postback.ts';
import { commissionFor, forfeit, grossCommission, splitCommission, takeFee } from './split.ts';

// The whole range: 0.01 to 10,000,000.00, and 0 to 100 %.
const net = fc.oneof(
  fc.bigInt({ min: 1n, max: AMOUNT_LIMIT }),
  fc.bigInt({ min: 1n, max: 1_000n }),
  fc.constantFrom(1n, AMOUNT_LIMIT),
);
const share = fc.oneof(fc.bigInt({ min: 0n, max: WHOLE }), fc.constantFrom(0n, 1n, 3_333n, 5_000n, 9_999n, WHOLE));

describe('a split', () => {
  test('sums to the net commission, gives nobody less than nothing, and cuts the shopper’s share below the paisa', () => {
    fc.assert(
      fc.property(net, share, (amount, points) => {
        const { user, creator } = splitCommission(amount, points);
        expect(user + creator).toBe(amount);
        expect(user >= 0n && creator >= 0n).toBe(true);
        const exact = amount * points;
        expect(user * WHOLE <= exact && exact < (user + 1n) * WHOLE).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  test('of every net commission up to 20.00 by every tenth of a percent is exact', () => {
    for (let amount = 1n; amount <= 2_000n; amount++)
      for (let points = 0n; points <= WHOLE; points += 10n) {
        const { user, creator } = splitCommission(amount, points);
        if (user + creator !== amount || user !== (amount * points) / WHOLE) expect.fail(`${amount} by ${points}`);
      }
  });

  test('never gives the shopper less of a higher share or of more', () => {
    fc.assert(
      fc.property(net, share, share, net, (amount, a, b, other) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const [less, more] = amount < other ? [amount, other] : [other, amount];
        expect(splitCommission(amount, low).user <= splitCommission(amount, high).user).toBe(true);
        expect(splitCommission(less, low).user <= splitCommission(more, low).user).toBe(true);
      }),
    );
  });

  test('leaves the whole to the creator at 0 % and to the shopper at 100 %', () => {
    expect(splitCommission(12_345n, 0n)).toEqual({ user: 0n, creator: 12_345n });
    expect(splitCommission(12_345n, WHOLE)).toEqual({ user: 12_345n, creator: 0n });
    expect(splitCommission(1n, 9_999n)).toEqual({ user: 0n, creator: 1n });
  });

  test('is refused below zero and beyond the whole', () => {
    expect(() => splitCommission(-1n, 0n)).toThrow(RangeError);
    expect(() => splitCommission(1n, -1n)).toThrow(RangeError);
    expect(() => splitCommission(1n, WHOLE + 1n)).toThrow(RangeError);
  });
});

describe('a platform fee', () => {
  test('and what is shared sum to the gross commission, whatever the fee', () => {
    fc.assert(
      fc.property(net, share, (gross, points) => {
        const { fee, net: shared } = takeFee(gross, points);
        expect(fee + shared).toBe(gross);
        expect(fee >= 0n && shared >= 0n).toBe(true);
      }),
    );
  });

  test('takes over a forfeited share to the paisa', () => {
    fc.assert(
      fc.property(net, share, share, (gross, points, forfeited) => {
        const before = takeFee(gross, points);
        const after = forfeit(before, forfeited);
        expect(after.net + after.fee).toBe(gross);
        expect(after.net).toBe(splitCommission(before.net, forfeited).creator);
      }),
    );
  });
});

describe('what an offer pays (money rule 6)', () => {
  const percent = { pct: '8.00', fixed: null, countries: { AE: { pct: '9.50' }, SG: { fixed: '120.00' } } };
  const fixed = { pct: null, fixed: '60.50', countries: { US: { fixed: '300.00' } } };

  test('is its percentage or its amount, and a country’s own where it has one', () => {
    expect(commissionFor(percent, 'IN')).toEqual({ pct: 800n });
    expect(commissionFor(percent, 'AE')).toEqual({ pct: 950n });
    expect(commissionFor(percent, 'SG')).toEqual({ fixed: parsePaise('120.00') });
    expect(commissionFor(percent, null)).toEqual({ pct: 800n });
    expect(commissionFor(fixed, 'US')).toEqual({ fixed: 30_000n });
    expect(commissionFor(fixed, 'IN')).toEqual({ fixed: 6_050n });
  });

  test('is the network’s own word when it sent one', () => {
    expect(grossCommission(100_000n, 1_234n, { pct: 800n })).toBe(1_234n);
    expect(grossCommission(100_000n, null, { pct: 800n })).toBe(8_000n);
    expect(grossCommission(100_000n, 0n, { pct: 800n })).toBe(0n);
    expect(grossCommission(100_000n, null, { fixed: 6_050n })).toBe(6_050n);
  });
});
