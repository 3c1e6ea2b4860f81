import { endKycHold, holdForKyc } from '@hissaback/shared/db/queries/creator-earnings';
import {
  claimAccount,
  claimEveryAccount,
  claimRecipient,
  findPayees,
  insertReservation,
  type Payee,
  type PayeeKey,
  recipientOf,
  uncoveredShares,
} from '@hissaback/shared/db/queries/payouts';
import { roomWithoutKyc } from '@hissaback/shared/db/queries/profile';
import type { Tx } from '@hissaback/shared/db/types';
import type { Side } from '@hissaback/shared/domain/journal';
import { financialYearStart } from '@hissaback/shared/domain/kyc';
import { lesser, type Paise } from '@hissaback/shared/domain/money';
import {
  allocate,
  mintCreationRequestId,
  sliceVouchers,
  type VoucherLimits,
} from '@hissaback/shared/domain/payout-plan';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { logEvent, reasonOf } from './log.ts';
import { page } from './page.ts';
import type { PayoutCounts, PayoutRun } from './run.ts';

const PAYEES_AT_ONCE = 100;
/** About what one run can send at 10 calls a second: a queued payout that waits ties up money that a reversal may need. */
const PAYOUTS_A_RUN = 300;

/** Who is to be paid, and what a card may be worth. */
export type Payees = {
  readonly side: Side;
  readonly limits: VoucherLimits;
  /** Only those that this lets pass, asked under their account's lock. */
  readonly mayReserve?: (tx: Tx, payee: PayeeKey) => Promise<boolean>;
};

/** Reserves what shoppers may be paid. */
export async function reserveAll(run: PayoutRun, counts: PayoutCounts): Promise<void> {
  await reserveEach(run, { side: 'shopper', limits: run.config.limits }, counts);
}

/**
 * Reserves what payees may be paid, a transaction each (money rules 11 to 13).
 * @returns true if every payee was asked and none was somebody else's at that moment
 */
export async function reserveEach(run: PayoutRun, payees: Payees, counts: PayoutCounts): Promise<boolean> {
  const { side, limits } = payees;
  const isOver = () => counts.reserved >= PAYOUTS_A_RUN || run.isOver();
  let after: PayeeKey | null = null;
  let isComplete = true;
  while (!isOver()) {
    const wanted = { side, currency: run.config.currency, minimum: limits.minimum, after, limit: PAYEES_AT_ONCE };
    const found: PayeeKey[] = await run.db.transaction((tx) => findPayees(tx, wanted));
    for (const payee of found) {
      if (isOver()) return false;
      isComplete = (await reserveOne(run, payees, payee, counts)) && isComplete;
    }
    if (found.length < PAYEES_AT_ONCE) return isComplete;
    after = found.at(-1) ?? null;
  }
  return false;
}

/**
 * Reserves what one payee may be paid. A disagreement of balance and ledger stops that payee, not the others. False if somebody else is at the account.
 */
export async function reserveOne(
  run: PayoutRun,
  payees: Payees,
  payee: PayeeKey,
  counts: PayoutCounts,
): Promise<boolean> {
  try {
    const reserved = await reserve(run, payees, payee);
    counts.reserved += reserved ?? 0;
    return reserved !== null;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    counts.failed += 1;
    logEvent('error', 'reservation_failed', { tenant_id: payee.tenantId, payee: payee.payee, reason: reasonOf(error) });
    await page(run, {
      dedupKey: `reservation:${payee.tenantId}:${payee.payee}`,
      summary: 'A balance is larger than the rewards behind it: nothing was reserved',
      severity: 'critical',
      details: { tenant_id: payee.tenantId, payee: payee.payee },
    });
    return true;
  }
}

/**
 * Reserves everything one payee may be paid.
 * @returns how many payouts were queued, or null if somebody else is at that account
 * @throws RangeError when the released rewards do not cover the balance
 */
async function reserve(run: PayoutRun, { limits, mayReserve }: Payees, key: PayeeKey): Promise<number | null> {
  const { account } = run.config;
  return run.db.transaction(async (tx) => {
    const available = await claimAccount(tx, key);
    if (available === null) return null;
    const userId = await recipientOf(tx, key);
    if (userId === null) return 0;
    if (mayReserve !== undefined && !(await mayReserve(tx, key))) return 0;
    const payee = { ...key, userId };
    const room = await roomOf(tx, run, payee);
    if (room === 'busy') return null;
    const wanted = sliceVouchers(available, limits);
    const amounts = room === null ? wanted : sliceVouchers(lesser(available, room), limits);
    const now = run.clock.now();
    if (payee.side === 'creator')
      await (total(amounts) < total(wanted) ? holdForKyc(tx, payee, now) : endKycHold(tx, payee));
    if (amounts.length === 0) return 0;
    const payouts = amounts.map((amount) => ({
      payoutId: mintUuid(run.random),
      amount,
      creationRequestId: mintCreationRequestId(account.partnerId, run.random),
    }));
    const items = allocate(await uncoveredShares(tx, payee, total(amounts)), payouts);
    await insertReservation(tx, payee, account, payouts, items, now);
    return payouts.length;
  });
}

function total(amounts: readonly Paise[]): Paise {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

/**
 * What a payee may still be paid this year without a PAN, in paise; null for any amount. A year's total counts over all tenants: all accounts of a shopper,
 * or the person who receives a creator's vouchers, are locked while it is asked.
 */
async function roomOf(tx: Tx, run: PayoutRun, payee: Payee): Promise<Paise | null | 'busy'> {
  const { side, userId, currency } = payee;
  const limit = side === 'shopper' ? run.config.kycYearlyLimit : (run.config.creators?.kycYearlyLimit ?? null);
  if (limit === null) return null;
  const isOurs = side === 'shopper' ? await claimEveryAccount(tx, payee) : await claimRecipient(tx, userId);
  if (!isOurs) return 'busy';
  const since = new Date(financialYearStart(run.clock.now()));
  return roomWithoutKyc(tx, { user_id: userId, side, currency, since, limit });
}
