import type { OperatePayout, PayoutOperated } from '@hissaback/shared/contracts/payout-calls';
import { type AuditEntry, recordAudit } from '@hissaback/shared/db/queries/audit-log';
import {
  applyAction,
  beginCancelling,
  isOperatorNow,
  lockPayout,
  type SteeredPayout,
} from '@hissaback/shared/db/queries/payouts-operator';
import type { Tx } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { decideAction } from '@hissaback/shared/domain/payout-action';
import { LEASE_MS } from '@hissaback/shared/domain/retry-schedule';
import { type CardToCancel, cancelCard } from './cancel-card.ts';
import type { PayoutDeps } from './deps.ts';
import { logEvent } from './log.ts';
import { beginRun, type PayoutRun } from './run.ts';
import { takeSlot } from './slot.ts';

/** The past of each action, for the audit log. */
const DONE = { hold: 'held', release: 'released', cancel: 'cancelled', retry: 'retried', resolve: 'resolved' } as const;

type Step = PayoutOperated | { readonly cancel: CardToCancel };

/**
 * Does what an operator asks of a payout, under its locks and with its audit row in the same transaction. Whether the person is an operator is asked there
 * too (money rule 24).
 * @throws ConfigError
 */
export async function operatePayout(deps: PayoutDeps, request: OperatePayout): Promise<PayoutOperated> {
  const run = beginRun(deps);
  const slot = request.action === 'cancel' ? await takeSlot(run, request.payoutId) : null;
  const isLetThrough = request.action === 'cancel' && (await wasLetThrough(run, request.payoutId));
  const step = await deps.db.transaction((tx) => operate(tx, deps, request, slot !== false, isLetThrough));
  const result = 'cancel' in step ? await cancelCard(run, step.cancel, slot || 0) : step;
  logEvent('info', 'payout_operated', {
    payout_id: request.payoutId,
    action: request.action,
    result: result.ok ? result.status : result.reason,
  });
  return result;
}

/** The gate knows of a first call for it: a database that was restored to an earlier point may not (money rule 17). */
async function wasLetThrough(run: PayoutRun, payoutId: string): Promise<boolean> {
  const { firstCalls } = await run.gate.status(run.clock.now());
  return firstCalls.some((call) => call.payoutId === payoutId);
}

async function operate(
  tx: Tx,
  deps: PayoutDeps,
  request: OperatePayout,
  mayCall: boolean,
  isLetThrough: boolean,
): Promise<Step> {
  const { payoutId, action, operatorId } = request;
  if (!(await isOperatorNow(tx, operatorId))) return { ok: false, reason: 'not_operator' };
  const payout = await lockPayout(tx, payoutId);
  if (payout === null) return { ok: false, reason: 'not_found' };
  const now = deps.clock.now();
  const decision = decideAction(action, payout.state, now);
  if (decision.kind === 'refused') return { ok: false, reason: decision.why };
  if (decision.kind === 'cancel' && isLetThrough) return { ok: false, reason: 'card_may_exist' };
  if (decision.kind === 'cancel_card') {
    if (!mayCall || payout.gcId === null) return { ok: false, reason: 'unavailable' };
    await beginCancelling(tx, payoutId, now, LEASE_MS);
    await recordAudit(tx, auditOf(deps, payout, request, 'payout.cancel_asked', payout.status));
    return { cancel: { ...payout, gcId: payout.gcId, operatorId, reason: request.reason, markedAt: now } };
  }
  const status = await applyAction(tx, payout, decision, operatorId, now);
  await recordAudit(tx, auditOf(deps, payout, request, `payout.${DONE[action]}`, status));
  return { ok: true, status };
}

function auditOf(
  deps: Pick<PayoutDeps, 'clock' | 'random'>,
  payout: SteeredPayout,
  request: OperatePayout,
  action: string,
  to: string,
): AuditEntry {
  return {
    audit_id: mintId(deps.clock, deps.random),
    tenant_id: payout.tenantId,
    actor: `user:${request.operatorId}`,
    action,
    subject: `payout:${payout.payoutId}`,
    reason: request.reason,
    details: { from: payout.status, to },
    at: new Date(deps.clock.now()),
  };
}
