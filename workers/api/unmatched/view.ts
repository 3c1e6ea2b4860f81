import type { UnmatchedPostback } from '@hissaback/shared/contracts/unmatched';
import type { UnmatchedView } from '@hissaback/shared/db/queries/unmatched';
import { parseNetworkAmount } from '@hissaback/shared/domain/money';

/** An unmatched postback as an operator reads it; amount and currency as far as its words tell. */
export function unmatchedView(row: UnmatchedView): UnmatchedPostback {
  const { raw } = row;
  return {
    unmatched_id: String(row.unmatched_id),
    tenant_id: row.tenant_id,
    reason: row.reason,
    raw,
    amount: told(raw.sale_amount, isAmount) ?? told(raw.payout, isAmount),
    currency: told(raw.currency, isCurrency),
    source: row.source,
    status: row.status,
    conv_id: row.conv_id === null ? null : String(row.conv_id),
    received_at: row.received_at.toISOString(),
    resolved_at: row.resolved_at?.toISOString() ?? null,
    resolution: row.resolution,
    assigned_at: row.assigned_at?.toISOString() ?? null,
  };
}

const isAmount = (text: string): boolean => parseNetworkAmount(text) !== null;
const isCurrency = (text: string): boolean => /^[A-Za-z]{3}$/.test(text);

function told(text: string | undefined, isOne: (text: string) => boolean): string | null {
  const trimmed = text?.trim() ?? '';
  return isOne(trimmed) ? trimmed : null;
}
