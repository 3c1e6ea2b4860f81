import {
  claimAccount,
  findPayees,
  insertReservation,
  mayBePaid,
  type PayeeKey,
  uncoveredShares,
} from '@hissaback/shared/db/queries/payouts';
import { allocate, mintCreationRequestId, sliceVouchers } from '@hissaback/shared/domain/payout-plan';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { logEvent, reasonOf } from './log.ts';
import { page } from './page.ts';
import type { PayoutCounts, PayoutRun } from './run.ts';

const PAYEES_AT_ONCE = 100;
/** About what one run can send at 10 calls a second: a queued payout that waits ties up money that a reversal may need. */
const PAYOUTS_A_RUN = 300;

/** Reserves what payees may be paid, a transaction each (money rules 11 to 13). Shoppers only: creators are not paid by voucher yet. */
export async function reserveAll(run: PayoutRun, counts: PayoutCounts): Promise<void> {
  const { currency, limits } = run.config;
  let after: PayeeKey | null = null;
  while (counts.reserved < PAYOUTS_A_RUN && run.clock.now() < run.deadline) {
    const wanted = { side: 'shopper' as const, currency, minimum: limits.minimum, after, limit: PAYEES_AT_ONCE };
    const payees: PayeeKey[] = await run.db.transaction((tx) => findPayees(tx, wanted));
    for (const payee of payees) {
      if (counts.reserved >= PAYOUTS_A_RUN || run.clock.now() >= run.deadline) return;
      await reserveOrPage(run, payee, counts);
    }
    if (payees.length < PAYEES_AT_ONCE) return;
    after = payees.at(-1) ?? null;
  }
}

/** One payee's disagreement of balance and ledger stops that payee, not the others. */
async function reserveOrPage(run: PayoutRun, payee: PayeeKey, counts: PayoutCounts): Promise<void> {
  try {
    counts.reserved += await reserve(run, payee);
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
  }
}

/**
 * Reserves everything one payee may be paid, if nobody else is at that account.
 * @returns how many payouts were queued
 * @throws RangeError when the released rewards do not cover the balance
 */
export async function reserve(run: PayoutRun, payee: PayeeKey): Promise<number> {
  const { account, limits } = run.config;
  return run.db.transaction(async (tx) => {
    const available = await claimAccount(tx, payee);
    if (available === null) return 0;
    const payouts = sliceVouchers(available, limits).map((amount) => ({
      payoutId: mintUuid(run.random),
      amount,
      creationRequestId: mintCreationRequestId(account.partnerId, run.random),
    }));
    if (payouts.length === 0 || !(await mayBePaid(tx, payee))) return 0;
    const items = allocate(await uncoveredShares(tx, payee), payouts);
    await insertReservation(tx, payee, account, payouts, items, run.clock.now());
    return payouts.length;
  });
}
