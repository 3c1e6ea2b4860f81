import { recordAudit } from '@hissaback/shared/db/queries/audit-log';
import {
  type ClaimRow,
  gatherEvidence,
  linkClaim,
  lockClaimRow,
  noteSearch,
  reopenClaim,
  tenantOfOwnConversion,
} from '@hissaback/shared/db/queries/missing-cashback';
import { assignUnmatched, lockUnmatched } from '@hissaback/shared/db/queries/unmatched';
import type { Database, Tx } from '@hissaback/shared/db/types';
import { type Assignment, assigned, refusalOfAssigned, type Waiting } from '@hissaback/shared/domain/assignment';
import { mintId } from '@hissaback/shared/domain/click-id';
import { type ClaimEvidence, judgeClaim } from '@hissaback/shared/domain/missing-cashback';
import { parsePaise } from '@hissaback/shared/domain/money';
import { attachConversion } from './claim-rewards.ts';
import type { IntakeContext } from './intake-batch.ts';
import { sendAgain } from './send-again.ts';

const DAY_MS = 86_400_000;
/** Networks report a sale days after it happened. */
const REPORTED_WITHIN_DAYS = 30;

/**
 * Pursues a shopper's claim of missing cashback: searches what we know and links what fits by the rules of domain/missing-cashback, or carries an
 * operator's decision out. What fits neither stays open with its evidence. Doing it again changes nothing.
 */
export async function pursueClaim(
  db: Database,
  env: WebhookEnv,
  claimId: string,
  context: IntakeContext,
): Promise<void> {
  const toSend = await db.transaction(async (tx) => {
    const claim = await lockClaimRow(tx, claimId);
    if (claim?.status === 'open') return search(tx, claim, context);
    if (claim?.status === 'approved') return carryOut(tx, claim, context);
    return null;
  });
  // Should this be lost, the next run of `rematch` sends it.
  if (toSend !== null) await sendAgain(env, [toSend]);
}

async function search(tx: Tx, claim: ClaimRow, context: IntakeContext): Promise<Waiting | null> {
  const bought = Date.parse(claim.purchased_on);
  const { attributionWindowDays } = context.settings;
  const evidence = await gatherEvidence(tx, {
    user_id: claim.user_id,
    merchant: claim.merchant,
    order_id: claim.order_id,
    from: new Date(bought - attributionWindowDays * DAY_MS),
    to: new Date(bought + REPORTED_WITHIN_DAYS * DAY_MS),
  });
  const judgement = judgeClaim(
    { orderId: claim.order_id, amount: parsePaise(claim.amount) },
    evidence,
    attributionWindowDays,
  );
  const rule = judgement.kind === 'operator' ? judgement.rule : judgement.kind;
  await noteSearch(tx, { claim_id: claim.claim_id, rule, evidence: evidenceView(evidence), at: context.now });
  if (judgement.kind === 'tracked') {
    const { convId, tenantId } = judgement.conversion;
    await linkClaim(tx, { claim_id: claim.claim_id, rule, conv_id: convId, tenant_id: tenantId });
    await trace(tx, claim, context, rule, { conv_id: String(convId) });
    return null;
  }
  if (judgement.kind === 'operator') return null;
  const { unmatchedId, clickId } = judgement;
  return assign(tx, claim, context, rule, unmatchedId, { click: String(clickId) });
}

async function carryOut(tx: Tx, claim: ClaimRow, context: IntakeContext): Promise<Waiting | null> {
  const { decision } = claim;
  if (decision === null) throw new Error('an approved claim without a decision');
  if ('unmatched_id' in decision)
    return assign(tx, claim, context, 'decided', BigInt(decision.unmatched_id), decision.assignment);
  const convId = BigInt(decision.conv_id);
  await attachConversion(tx, { convId, userId: claim.user_id }, context);
  const tenantId = await tenantOfOwnConversion(tx, convId, claim.user_id);
  await noteSearch(tx, { claim_id: claim.claim_id, rule: 'decided', evidence: claim.evidence, at: context.now });
  // Somebody else's by now: the claim is an operator's again, who sees why.
  if (tenantId === null) await reopenClaim(tx, claim.claim_id, context.now);
  else {
    await linkClaim(tx, { claim_id: claim.claim_id, rule: 'decided', conv_id: convId, tenant_id: tenantId });
    await trace(tx, claim, context, 'decided', { conv_id: String(convId) });
  }
  return null;
}

async function assign(
  tx: Tx,
  claim: ClaimRow,
  context: IntakeContext,
  rule: string,
  unmatchedId: bigint,
  assignment: Assignment,
): Promise<Waiting | null> {
  const row = await lockUnmatched(tx, unmatchedId);
  const said = row === null ? null : assigned(row.raw, row.source, assignment);
  const fits = row?.status === 'open' && said !== null && refusalOfAssigned(said.raw, said.source) === null;
  if (!fits) {
    if (claim.status === 'approved') await reopenClaim(tx, claim.claim_id, context.now);
    return null;
  }
  await assignUnmatched(tx, { unmatchedId, assignment, at: context.now });
  await linkClaim(tx, { claim_id: claim.claim_id, rule, unmatched_id: unmatchedId });
  await trace(tx, claim, context, rule, { unmatched_id: String(unmatchedId), ...assignment });
  return { unmatched_id: unmatchedId, raw: row.raw, source: row.source, assignment };
}

async function trace(
  tx: Tx,
  claim: ClaimRow,
  context: IntakeContext,
  rule: string,
  details: Record<string, string>,
): Promise<void> {
  await recordAudit(tx, {
    audit_id: mintId({ now: () => context.now }, context.random),
    tenant_id: null,
    actor: 'webhook',
    action: 'missing_cashback.linked',
    subject: `missing_cashback:${claim.claim_id}`,
    reason: rule,
    details,
    at: new Date(context.now),
  });
}

/** The evidence as an operator reads it. */
function evidenceView(evidence: ClaimEvidence): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(evidence, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ) as Record<string, unknown>;
}
