import { recordAudit } from '@hissaback/shared/db/queries/audit-log';
import {
  type ClaimRow,
  countRivals,
  gatherEvidence,
  isOthersClick,
  linkClaim,
  linkedPostback,
  lockClaimRow,
  noteSearch,
  reopenClaim,
  tenantOfOwnConversion,
} from '@hissaback/shared/db/queries/missing-cashback';
import { assignUnmatched, lockUnmatched } from '@hissaback/shared/db/queries/unmatched';
import type { Database, Tx } from '@hissaback/shared/db/types';
import { type Assignment, assigned, refusalOfAssigned, type Waiting } from '@hissaback/shared/domain/assignment';
import { clickIdTime, mintId } from '@hissaback/shared/domain/click-id';
import { type ClaimEvidence, judgeClaim, REPORTED_WITHIN_DAYS } from '@hissaback/shared/domain/missing-cashback';
import { formatPaise, parsePaise } from '@hissaback/shared/domain/money';
import { attachConversion } from './claim-rewards.ts';
import type { IntakeContext } from './intake-batch.ts';
import { sendAgain } from './send-again.ts';

const DAY_MS = 86_400_000;

/**
 * Pursues a shopper's claim of missing cashback: searches what we know and links what fits by the rules of domain/missing-cashback, carries an operator's
 * decision out, or sees what became of the postback that it was linked to. What fits no rule, or cannot be done, is open with its evidence. Doing it again
 * changes nothing.
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
    if (claim?.status === 'linked' && claim.unmatched_id !== null && claim.conv_id === null)
      await conclude(tx, claim, claim.unmatched_id, context);
    return null;
  });
  if (toSend === null) return;
  // Should this be lost, the next run of `rematch` sends it. The claim comes behind it, so that it is seen what became of it.
  await sendAgain(env, [toSend]);
  await env.POSTBACKS.send({ kind: 'missing_cashback', claim_id: claimId });
}

async function search(tx: Tx, claim: ClaimRow, context: IntakeContext): Promise<Waiting | null> {
  const purchasedOn = Date.parse(claim.purchased_on);
  const { attributionWindowDays } = context.settings;
  const evidence = await gatherEvidence(tx, {
    user_id: claim.user_id,
    merchant: claim.merchant,
    order_id: claim.order_id,
    amount: claim.amount,
    told_from: new Date(purchasedOn - DAY_MS),
    from: new Date(purchasedOn - attributionWindowDays * DAY_MS),
    to: new Date(purchasedOn + (REPORTED_WITHIN_DAYS + 1) * DAY_MS),
  });
  const rivals = await countRivals(tx, claim);
  const judgement = judgeClaim(
    { orderId: claim.order_id, amount: parsePaise(claim.amount), purchasedOn, rivals },
    evidence,
    attributionWindowDays,
  );
  const rule = judgement.kind === 'operator' ? judgement.rule : judgement.kind;
  await noteSearch(tx, { claim_id: claim.claim_id, rule, evidence: evidenceView(evidence, rivals), at: context.now });
  switch (judgement.kind) {
    case 'tracked': {
      const { convId, tenantId } = judgement.conversion;
      await linkClaim(tx, { claim_id: claim.claim_id, rule, conv_id: convId, tenant_id: tenantId });
      await trace(tx, claim, context, rule, { conv_id: String(convId) });
      return null;
    }
    case 'nobodys':
      await give(tx, claim, context, rule, judgement.conversion.convId);
      return null;
    case 'unmatched': {
      const { unmatchedId, clickId } = judgement;
      return assign(tx, claim, context, rule, unmatchedId, { click: String(clickId) });
    }
    case 'operator':
      return null;
  }
}

async function carryOut(tx: Tx, claim: ClaimRow, context: IntakeContext): Promise<Waiting | null> {
  const { decision } = claim;
  if (decision === null) throw new Error('an approved claim without a decision');
  if ('unmatched_id' in decision)
    return assign(tx, claim, context, 'decided', BigInt(decision.unmatched_id), decision.assignment);
  await noteSearch(tx, { claim_id: claim.claim_id, rule: 'decided', evidence: claim.evidence, at: context.now });
  await give(tx, claim, context, 'decided', BigInt(decision.conv_id));
  return null;
}

/** Makes a conversion that is nobody's the claimant's. One that is somebody else's by now stays theirs, and the claim an operator's, who sees why. */
async function give(tx: Tx, claim: ClaimRow, context: IntakeContext, rule: string, convId: bigint): Promise<void> {
  const { claim_id } = claim;
  await attachConversion(tx, { convId, userId: claim.user_id }, context);
  const tenantId = await tenantOfOwnConversion(tx, convId, claim.user_id);
  if (tenantId === null) {
    await reopenClaim(tx, { claim_id, rule: 'decision_impossible', at: context.now });
    return;
  }
  await linkClaim(tx, { claim_id, rule, conv_id: convId, tenant_id: tenantId });
  await trace(tx, claim, context, rule, { conv_id: String(convId) });
}

/**
 * Sees what became of the postback that a claim was linked to: its conversion is the claimant's, or is given to them if it is nobody's; what no conversion
 * came of gives the claim back to operators, with the reason.
 */
async function conclude(tx: Tx, claim: ClaimRow, unmatchedId: bigint, context: IntakeContext): Promise<void> {
  const postback = await linkedPostback(tx, unmatchedId);
  if (postback?.status === 'open' && !postback.is_tried) return;
  if (postback?.status === 'matched' && postback.conv_id !== null)
    await give(tx, claim, context, claim.rule ?? 'decided', postback.conv_id);
  else
    await reopenClaim(tx, {
      claim_id: claim.claim_id,
      rule: postback?.status === 'open' ? `refused_${postback.reason}` : 'decision_impossible',
      at: context.now,
    });
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
  const isOthers = /^\d+$/.test(assignment.click) && (await isOthersClick(tx, BigInt(assignment.click), claim.user_id));
  const refusal = isOthers ? 'another_shoppers_click' : said && refusalOfAssigned(said.raw, said.source);
  if (row?.status !== 'open' || refusal !== null) {
    await reopenClaim(tx, {
      claim_id: claim.claim_id,
      rule: refusal === null ? 'decision_impossible' : `refused_${refusal}`,
      at: context.now,
    });
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

/** How many clicks an operator is shown: the last ones. */
const CLICKS_SHOWN = 20;

/** The evidence as an operator reads it: amounts in decimal text, times in RFC 3339. */
function evidenceView(evidence: ClaimEvidence, rivals: number): Record<string, unknown> {
  const time = (at: number): string => new Date(at).toISOString();
  return {
    conversions: evidence.conversions.map((row) => ({
      conv_id: String(row.convId),
      tenant_id: row.tenantId,
      offer_id: row.offerId,
      click_id: String(row.clickId),
      order_id: row.txnId,
      whose: row.whose,
      amount: row.amounts[0] === undefined ? null : formatPaise(row.amounts[0]),
      occurred_at: time(row.occurredAt),
      status: row.status,
    })),
    unmatched: evidence.unmatched.map((row) => ({
      unmatched_id: String(row.unmatchedId),
      offer_id: row.offerId,
      order_id: row.orderId,
      reason: row.reason,
      amount: row.amount === null ? null : formatPaise(row.amount),
      payout: row.payout === null ? null : formatPaise(row.payout),
      names_known_click: row.hasKnownClick,
      reported_at: time(row.reportedAt),
    })),
    clicks: evidence.clicks.slice(0, CLICKS_SHOWN).map((row) => ({
      click_id: String(row.clickId),
      link_id: row.linkId,
      offer_id: row.offerId,
      clicked_at: time(clickIdTime(row.clickId)),
    })),
    other_claims: rivals,
  };
}
