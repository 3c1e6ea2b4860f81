import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './chance.fake.ts';
import {
  allocate,
  checkLimits,
  checkPartnerId,
  type LedgerShare,
  mintCreationRequestId,
  sliceVouchers,
  type VoucherLimits,
} from './payout-plan.ts';

const LIMITS: VoucherLimits = { minimum: 10_000n, cardMinimum: 100n, cardMaximum: 1_000_000n, step: 100n };

const anyLimits = fc
  .record({
    step: fc.constantFrom(1n, 100n, 5_000n, 333n),
    cardMinimum: fc.bigInt(1n, 20_000n),
    room: fc.bigInt(20_000n, 500_000n),
    minimum: fc.bigInt(1n, 50_000n),
  })
  .map(({ step, cardMinimum, room, minimum }) => ({
    minimum,
    cardMinimum,
    cardMaximum: 2n * (cardMinimum + step) + room,
    step,
  }));

describe('money rule 13: slicing', () => {
  it('gives whole steps, none above the maximum, none below the card minimum, and leaves less than a card or a step', () => {
    fc.assert(
      fc.property(anyLimits, fc.bigInt(0n, 5_000_000n), (limits, available) => {
        const slices = sliceVouchers(available, limits);
        const total = slices.reduce((sum, slice) => sum + slice, 0n);
        for (const slice of slices) {
          expect(slice % limits.step).toBe(0n);
          expect(slice).toBeGreaterThanOrEqual(limits.cardMinimum);
          expect(slice).toBeLessThanOrEqual(limits.cardMaximum);
        }
        if (slices.length > 0) expect(total).toBe(available - (available % limits.step));
        else if (available >= limits.minimum)
          expect(available - (available % limits.step)).toBeLessThan(limits.cardMinimum + limits.step);
      }),
    );
  });

  it('pays nothing below the payout minimum', () => {
    expect(sliceVouchers(9_999n, LIMITS)).toEqual([]);
    expect(sliceVouchers(10_050n, LIMITS)).toEqual([10_000n]);
  });

  it('rebalances the last two when the last would be below the card minimum', () => {
    const limits = { ...LIMITS, cardMinimum: 5_000n };
    expect(sliceVouchers(2_000_100n, limits)).toEqual([1_000_000n, 995_100n, 5_000n]);
  });

  it('refuses limits that cannot be met together', () => {
    expect(() => checkLimits({ ...LIMITS, cardMinimum: 600_000n })).toThrow('at least two of the smallest');
    expect(() => checkLimits({ ...LIMITS, step: 0n })).toThrow('step');
  });
});

const share = (ledId: bigint, amount: bigint, more: Partial<LedgerShare> = {}): LedgerShare => ({
  ledId,
  convId: ledId,
  amount,
  covered: 0n,
  ...more,
});

describe('money rule 12: allocation', () => {
  it('pays the oldest rewards first and cuts one between two payouts', () => {
    const items = allocate(
      [share(1n, 300n), share(2n, 300n)],
      [
        { payoutId: 'a', amount: 400n },
        { payoutId: 'b', amount: 200n },
      ],
    );
    expect(items).toEqual([
      { payoutId: 'a', ledId: 1n, amount: 300n },
      { payoutId: 'a', ledId: 2n, amount: 100n },
      { payoutId: 'b', ledId: 2n, amount: 200n },
    ]);
  });

  it('does not pay what an amendment took away', () => {
    const rows = [share(1n, 500n, { convId: 9n }), share(2n, -200n, { convId: 9n }), share(3n, 100n)];
    expect(allocate(rows, [{ payoutId: 'a', amount: 400n }])).toEqual([
      { payoutId: 'a', ledId: 1n, amount: 300n },
      { payoutId: 'a', ledId: 3n, amount: 100n },
    ]);
  });

  it('fails rather than pay more than the rewards that are left', () => {
    const rows = [share(1n, 500n, { covered: 300n })];
    expect(() => allocate(rows, [{ payoutId: 'a', amount: 201n }])).toThrow('do not cover');
  });

  it('always allocates each payout exactly, no row above its amount, or fails', () => {
    const row = fc.record({ amount: fc.bigInt(-500n, 1_000n), conv: fc.bigInt(1n, 5n) });
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 12 }),
        fc.array(fc.bigInt(1n, 900n), { maxLength: 4 }),
        (rows, amounts) => {
          const shares = rows.map(({ amount, conv }, index) => share(BigInt(index), amount, { convId: conv }));
          const payouts = amounts.map((amount, index) => ({ payoutId: String(index), amount }));
          const net = new Map<bigint, bigint>();
          for (const { convId, amount } of shares) net.set(convId, (net.get(convId) ?? 0n) + amount);
          let items: ReturnType<typeof allocate>;
          try {
            items = allocate(shares, payouts);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            return;
          }
          const sum = (of: typeof items) => of.reduce((total, item) => total + item.amount, 0n);
          for (const { payoutId, amount } of payouts)
            expect(sum(items.filter((i) => i.payoutId === payoutId))).toBe(amount);
          for (const { ledId, amount } of shares)
            expect(sum(items.filter((i) => i.ledId === ledId))).toBeLessThanOrEqual(amount > 0n ? amount : 0n);
          for (const [convId, worth] of net) {
            const ledIds = shares.filter((s) => s.convId === convId).map((s) => s.ledId);
            expect(sum(items.filter((i) => ledIds.includes(i.ledId)))).toBeLessThanOrEqual(worth > 0n ? worth : 0n);
          }
        },
      ),
    );
  });
});

describe('money rule 15: creationRequestId', () => {
  it('is the partner id and 25 base-36 characters, at most 40 alphanumeric ones', () => {
    const random = seededRandom(1);
    const ids = Array.from({ length: 500 }, () => mintCreationRequestId('P'.repeat(15), random));
    for (const id of ids) expect(id).toMatch(/^P{15}[0-9A-Z]{25}$/);
    expect(new Set(ids).size).toBe(500);
  });

  it('refuses a partner id with which it would not fit or not be alphanumeric', () => {
    expect(() => checkPartnerId('P'.repeat(16))).toThrow('at most 15');
    expect(() => checkPartnerId('')).toThrow('alphanumeric');
    expect(() => checkPartnerId('Part_1')).toThrow('alphanumeric');
  });
});
