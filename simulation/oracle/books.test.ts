import { expect, it } from 'vitest';
import { Books } from './books.ts';
import type { Conversion } from './conversion.ts';

const TENANT = 'tenant';
const USER = 'user';

/** A released reward of which the shopper has all. */
function reward(convId: bigint, net: bigint): Conversion {
  const link = { share: 10_000n, tenant: { id: TENANT } };
  return {
    ...{
      convId,
      net,
      link,
      lowest: net,
      expiredTo: null,
      userId: USER,
      occurredAt: Number(convId),
      state: 'confirmed',
      cover: [],
      story: [],
    },
  } as unknown as Conversion;
}

it('the model frees what debts had used, the newest reward first, and never uses less than nothing (money rule 12)', () => {
  const conversions = [reward(1n, 300n), reward(2n, 200n), reward(3n, 100n)];
  const books = new Books(conversions);
  for (const { net } of conversions) books.give(TENANT, 'shopper', USER, net);
  const payout = {
    id: 'p',
    tenantId: TENANT,
    payee: USER,
    amount: 450n,
    requestId: 'r',
    createdAt: 0,
    isResolved: false,
  };
  books.reserve([{ ...payout, status: 'queued' }]);
  for (const held of books.payouts.values()) for (const to of ['sending', 'issued', 'paid']) books.move(held, to);
  const [first, second, third] = conversions as [Conversion, Conversion, Conversion];
  const amend = (net: bigint) => (): bigint => {
    const open = books.uncovered(first);
    first.net = net;
    first.lowest = 100n;
    return open - books.uncovered(first);
  };
  books.take(TENANT, 'shopper', USER, 200n, amend(100n));
  expect(books.account(TENANT, 'shopper', USER)).toEqual({ available: 0n, reserved: 0n, receivable: 50n });
  expect([first.state, second.state, third.state]).toEqual(['paid', 'paid', 'paid']);
  amend(220n)();
  books.give(TENANT, 'shopper', USER, 120n);
  expect(books.account(TENANT, 'shopper', USER)).toEqual({ available: 70n, reserved: 0n, receivable: 0n });
  expect([first.state, second.state, third.state]).toEqual(['paid', 'paid', 'confirmed']);
  expect(conversions.map((c) => books.uncovered(c))).toEqual([0n, 0n, 70n]);
});
