import { AGCOD_TIMEOUT_MS, createGiftCard } from '@hissaback/shared/clients/agcod';
import {
  beginAttempt,
  isCardOfAnother,
  markIssued,
  markReturned,
  markWaiting,
  type Payout,
  releaseLease,
} from '@hissaback/shared/db/queries/payouts';
import type { GateCall, GatePurpose } from '@hissaback/shared/domain/agcod-gate';
import { type AgcodOutcome, readOutcome } from '@hissaback/shared/domain/agcod-outcome';
import { type Attempt, decide, type PayoutAlarm, type PayoutDecision } from '@hissaback/shared/domain/payout-state';
import { LEASE_MS } from '@hissaback/shared/domain/retry-schedule';
import { sealClaimCode } from '@hissaback/shared/domain/voucher-secret';
import { reportOutcome } from './breaker.ts';
import { storeIntent } from './intents.ts';
import { logEvent } from './log.ts';
import { page } from './page.ts';
import type { PayoutRun } from './run.ts';

/** What became of a claimed payout. */
export type AttemptResult =
  /** No call may be made now; the lease was given back. */
  | { readonly kind: 'refused' }
  /** It was no longer as claimed, or the answer came after another attempt had begun: nothing was changed. */
  | { readonly kind: 'overtaken' }
  | { readonly kind: 'issued'; readonly payout: Payout }
  | { readonly kind: 'retried' | 'held' | 'failed' };

const ALARMS: Readonly<Record<PayoutAlarm, string>> = {
  refused: 'AGCOD refuses a payout: action needed, its payee is blocked until an operator resolves it',
  refused_later: 'AGCOD refuses a payout that may have a card already: it is kept and asked for again',
  mismatch: 'A gift card of another amount exists for a payout: it is kept and asked for again',
  refunded: 'A gift card was cancelled at Amazon: the payout was cancelled and its money returned',
  strange_answer: 'AGCOD answers a payout in a way that is not understood: it is kept and asked for again',
};

/**
 * Makes one call for a claimed payout, with the values that it was reserved with, and applies the answer. Before the call its intent is in R2
 * (money rule 17) and `sending` is committed (money rule 14), so that a crash at any point is resolved by asking again with the same id.
 */
export async function attemptPayout(run: PayoutRun, payout: Payout, purpose: GatePurpose): Promise<AttemptResult> {
  const isFirst = payout.intentStoredAt === null;
  if (isFirst) await storeIntent(run.evidence, payout, run.clock.now());
  const call = { askedAt: payout.dueAt, ...(isFirst ? { firstCallOf: payout.payoutId } : {}) };
  const slot = await waitForSlot(run, purpose, call);
  if (!slot.ok) {
    await run.db.transaction((tx) => releaseLease(tx, payout, slot.dueAt ?? payout.dueAt));
    return { kind: 'refused' };
  }
  const startedAt = run.clock.now();
  const number = await run.db.transaction((tx) => beginAttempt(tx, payout, startedAt, LEASE_MS));
  if (number === null) return { kind: 'overtaken' };
  const attempt = { number, startedAt };
  if (!(await isOnTime(run, purpose, slot.at))) return putBack(run, payout, attempt);
  const outcome = await askForCard(run, payout);
  await reportOutcome(run, purpose, payout.payoutId, outcome);
  return applyOutcome(run, payout, attempt, outcome);
}

const ANOTHERS_CARD: AgcodOutcome = {
  kind: 'unknown',
  error: { code: 'SUCCESS', type: 'CardOfAnotherPayout' },
  alarming: true,
};

/** A call may leave this much later than its slot says, in milliseconds: less than the gate's gap leaves to spare in a second. */
const LATEST_MS = 60;
const SLOTS_AT_MOST = 5;

/** `dueAt` is when a payout is due that may not be called for now, if not as before. */
type OwnSlot = { readonly ok: true; readonly at: number } | { readonly ok: false; readonly dueAt: number | null };

/** Waits for a slot of its own. Answers when it is; or that no call may be made now: the breaker may open while others wait for theirs. */
async function waitForSlot(run: PayoutRun, purpose: GatePurpose, call: GateCall = {}): Promise<OwnSlot> {
  const asked = run.clock.now();
  const slot = await run.gate.acquire(asked, purpose, call);
  // The probe that was asked for has been made by another: this payout waits for the next like everything held, in nobody's way who asks later.
  if (!slot.ok) return { ok: false, dueAt: slot.reason === 'answered' ? slot.until : null };
  if (slot.waitMs === 0) return { ok: true, at: asked };
  await run.sleep(slot.waitMs);
  if (purpose !== 'call' || !(await isBreakerOpen(run))) return { ok: true, at: asked + slot.waitMs };
  if (call.firstCallOf !== undefined) await run.gate.withdraw(call.firstCallOf, asked);
  return { ok: false, dueAt: null };
}

async function isBreakerOpen(run: PayoutRun): Promise<boolean> {
  return (await run.gate.status(run.clock.now())).breaker !== 'closed';
}

/** `sending` is committed, but no call may be made any more: no attempt. Behind a breaker it is held like everything else. */
async function putBack(run: PayoutRun, payout: Payout, attempt: Attempt): Promise<AttemptResult> {
  if (!(await isBreakerOpen(run))) return applyOutcome(run, payout, attempt, { kind: 'throttled' });
  const now = run.clock.now();
  const waiting = {
    to: 'held',
    attempts: attempt.number - 1,
    nextAttemptAt: now + run.config.holdForMs,
    error: null,
  } as const;
  const stored = await run.db.transaction((tx) => markWaiting(tx, payout, attempt.number, waiting, now));
  return { kind: stored ? 'held' : 'overtaken' };
}

/**
 * A slow database must not let calls pile up behind their slots and leave together: whoever missed his slot takes another (money rule 16). False if no call
 * may be made any more.
 */
async function isOnTime(run: PayoutRun, purpose: GatePurpose, slotAt: number): Promise<boolean> {
  // A probe is alone on its way.
  if (purpose !== 'call') return true;
  let at = slotAt;
  for (let slots = 1; run.clock.now() - at > LATEST_MS && slots < SLOTS_AT_MOST; slots++) {
    const slot = await waitForSlot(run, purpose);
    if (!slot.ok) return false;
    at = slot.at;
  }
  return true;
}

/** Calls AGCOD with the payout's own amount, currency, endpoint, region and partner, whatever the settings say by now. */
export async function askForCard(run: PayoutRun, payout: Payout): Promise<AgcodOutcome> {
  const io = { fetch: run.fetch, clock: run.clock, timeoutMs: AGCOD_TIMEOUT_MS };
  return readOutcome(payout, await createGiftCard(payout, run.config.credentials, payout, io));
}

/** Applies an answer if the payout is still `sending` with that attempt's number (money rule 15). */
export async function applyOutcome(
  run: PayoutRun,
  payout: Payout,
  attempt: Attempt,
  answer: AgcodOutcome,
): Promise<AttemptResult> {
  const now = run.clock.now();
  const outcome = (await isOfAnother(run, payout, answer)) ? ANOTHERS_CARD : answer;
  const [chance = 0] = run.random.bytes(1);
  const decision = decide(outcome, attempt, now, run.config.holdForMs, chance);
  const result = await store(run, payout, attempt.number, decision, now);
  const fields = { payout_id: payout.payoutId, attempt: attempt.number, outcome: outcome.kind, result: result.kind };
  logEvent('info', 'payout_attempt', 'error' in outcome ? { ...fields, ...outcome.error } : fields);
  if (decision.alarm !== null && result.kind !== 'overtaken') await pagePayout(run, payout, decision);
  return result;
}

/** An answer that says another payout's card is this one's is not believed. */
async function isOfAnother(run: PayoutRun, payout: Payout, answer: AgcodOutcome): Promise<boolean> {
  if (!('gcId' in answer)) return false;
  return run.db.transaction((tx) => isCardOfAnother(tx, payout.payoutId, answer.gcId));
}

async function store(
  run: PayoutRun,
  payout: Payout,
  attempt: number,
  decision: PayoutDecision,
  now: number,
): Promise<AttemptResult> {
  const { db } = run;
  switch (decision.to) {
    case 'issued': {
      const voucherCode = await sealClaimCode(decision.claimCode, payout.payoutId, run.config.voucherKeys, run.random);
      const card = { gcId: decision.gcId, voucherCode };
      const stored = await db.transaction((tx) => markIssued(tx, payout, attempt, card, now, LEASE_MS));
      if (!stored) return { kind: 'overtaken' };
      return { kind: 'issued', payout: { ...payout, status: 'issued', voucherCode, leaseUntil: now + LEASE_MS } };
    }
    case 'cancelled':
    case 'error_hard': {
      const stored = await db.transaction((tx) => markReturned(tx, payout, attempt, decision, now));
      return { kind: stored ? 'failed' : 'overtaken' };
    }
    default: {
      const stored = await db.transaction((tx) => markWaiting(tx, payout, attempt, decision, now));
      if (!stored) return { kind: 'overtaken' };
      return { kind: decision.to === 'held' ? 'held' : 'retried' };
    }
  }
}

async function pagePayout(run: PayoutRun, payout: Payout, decision: PayoutDecision): Promise<void> {
  if (decision.alarm === null) return;
  const error = 'error' in decision ? decision.error : null;
  await page(run, {
    dedupKey: `payout:${payout.payoutId}:${decision.alarm}`,
    summary: ALARMS[decision.alarm],
    severity: 'error',
    details: {
      payout_id: payout.payoutId,
      tenant_id: payout.tenantId,
      error_code: error?.code ?? '',
      error_type: error?.type ?? '',
    },
  });
}
