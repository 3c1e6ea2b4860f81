import {
  claimAccount,
  insertReservation,
  isPayout,
  markRecalled,
  purchasesAsKnown,
  uncoveredShares,
} from '@hissaback/shared/db/queries/payouts';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import type { Tx } from '@hissaback/shared/db/types';
import type { FirstCall } from '@hissaback/shared/domain/agcod-gate';
import { allocate } from '@hissaback/shared/domain/payout-plan';
import { LEASE_MS } from '@hissaback/shared/domain/retry-schedule';
import { type Intent, intentsBetween, readIntent } from './intents.ts';
import { logEvent, reasonOf } from './log.ts';
import { page, unpage } from './page.ts';
import type { PayoutRun } from './run.ts';

const SCHEDULE = 'payout';
const PAGE_KEY = 'payouts-database-behind';
/** Where to begin when the database does not say how far it knew. */
const LONGEST_LOSS_MS = 7 * 86_400_000;
/** A first call that was let through, and neither committed nor answered within this time, was never made, or its database is lost. */
const UNDER_WAY_MS = 2 * LEASE_MS;

/** The database was restored to an earlier point, and purchases made since cannot all be entered again: payouts stay stopped. */
export class DatabaseBehindError extends Error {
  override readonly name = 'DatabaseBehindError';
}

/**
 * Money rule 17. The gate remembers the payouts whose first calls it let through last; a database that does not know one was restored to an earlier point.
 * Then every intent in R2 since the last sound run becomes a payout again, `sending` with its own id, so that the cards bought in the lost interval are
 * found.
 * @throws DatabaseBehindError while an intent has no balance to stand on: the lost conversions must be polled first
 */
export async function findLostPurchases(run: PayoutRun): Promise<void> {
  const now = run.clock.now();
  const { firstCalls } = await run.gate.status(now);
  const found = await run.db.transaction(async (tx) => {
    const doubt = await judge(tx, firstCalls, now);
    if (doubt !== 'none') return { doubt, watermark: await readWatermark(tx, SCHEDULE) };
    await writeWatermark(tx, SCHEDULE, { soundAt: now });
    return null;
  });
  if (found === null) return;
  const { soundAt } = found.watermark;
  const since = typeof soundAt === 'number' ? soundAt : now - LONGEST_LOSS_MS;
  if (found.doubt === 'behind') {
    await page(run, {
      dedupKey: PAGE_KEY,
      summary: 'The database is behind what was bought: payouts are stopped while the intents are replayed',
      severity: 'critical',
      details: { since: new Date(since).toISOString() },
    });
  }
  const { recalled, lost } = await replayIntents(run, since, now);
  logEvent(lost > 0 ? 'error' : 'info', 'intents_replayed', { recalled, lost });
  if (lost > 0)
    throw new DatabaseBehindError(`${lost} purchases are not in the database and have no balance behind them`);
  await run.db.transaction((tx) => writeWatermark(tx, SCHEDULE, { soundAt: now }));
  if (found.doubt === 'behind') await unpage(run, PAGE_KEY);
}

/**
 * Whether the database knows what was bought. `unsure`: a first call was let through and never heard of again; its worker died before or after the call, and
 * a payout that is still without one is asked for by its own id, whichever it was.
 */
async function judge(tx: Tx, firstCalls: readonly FirstCall[], now: number): Promise<'none' | 'unsure' | 'behind'> {
  const { known, waiting } = await purchasesAsKnown(
    tx,
    firstCalls.map(({ payoutId }) => payoutId),
  );
  const unknown = firstCalls.filter(({ payoutId }) => !known.has(payoutId));
  if (unknown.some(({ payoutId, isAnswered }) => isAnswered || !waiting.has(payoutId))) return 'behind';
  return unknown.some(({ at }) => now - at >= UNDER_WAY_MS) ? 'unsure' : 'none';
}

async function replayIntents(run: PayoutRun, since: number, now: number): Promise<{ recalled: number; lost: number }> {
  let recalled = 0;
  let lost = 0;
  for await (const listed of intentsBetween(run.evidence, since, now)) {
    const { known } = await run.db.transaction((tx) =>
      purchasesAsKnown(
        tx,
        listed.map(({ payoutId }) => payoutId),
      ),
    );
    for (const { key, payoutId } of listed) {
      if (known.has(payoutId)) continue;
      const intent = await readIntent(run.evidence, key);
      if (intent === null) continue;
      if (await recall(run, intent, now)) recalled += 1;
      else lost += 1;
    }
  }
  return { recalled, lost };
}

/** Enters a purchase again as one whose outcome is unknown. False if the payee's balance does not cover it (yet). */
async function recall(run: PayoutRun, intent: Intent, now: number): Promise<boolean> {
  try {
    return await run.db.transaction(async (tx) => {
      // Another run may have entered it meanwhile.
      if ((await markRecalled(tx, intent.payoutId, now)) || (await isPayout(tx, intent.payoutId))) return true;
      const available = await claimAccount(tx, intent);
      if (available === null || available < intent.amount) return false;
      const items = allocate(await uncoveredShares(tx, intent, intent.amount), [intent]);
      await insertReservation(tx, intent, intent, [intent], items, now);
      return markRecalled(tx, intent.payoutId, now);
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    logEvent('error', 'intent_not_covered', { payout_id: intent.payoutId, reason: reasonOf(error) });
    return false;
  }
}
