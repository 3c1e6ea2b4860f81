import type { MissingCashback } from '@hissaback/shared/contracts/missing-cashback';
import type { ClaimRow } from '@hissaback/shared/db/queries/missing-cashback';

/** A claim as its shopper sees it; with what operators decide by. */
export function claimView(row: ClaimRow, isForOperator: boolean): MissingCashback {
  return {
    claim_id: row.claim_id,
    brand: row.brand,
    offer_id: row.offer_id,
    date: row.purchased_on,
    order_id: row.order_id,
    amount: row.amount,
    status: row.status,
    conv_id: row.conv_id === null ? null : String(row.conv_id),
    created_at: row.created_at.toISOString(),
    decided_at: row.decided_at?.toISOString() ?? null,
    reason: row.reason,
    ...(isForOperator && {
      operations: {
        user_id: row.user_id,
        rule: row.rule,
        unmatched_id: row.unmatched_id === null ? null : String(row.unmatched_id),
        evidence: row.evidence,
      },
    }),
  };
}
