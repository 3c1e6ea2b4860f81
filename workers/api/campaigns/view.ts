import type { Campaign } from '@hissaback/shared/contracts/campaigns';
import type { CampaignRow } from '@hissaback/shared/db/queries/campaigns';

/** A campaign as the API shows it. */
export function campaignView(row: CampaignRow): Campaign {
  return {
    campaign_id: row.campaign_id,
    tenant_id: row.tenant_id,
    name: row.name,
    share_pct: row.share_pct,
    status: row.status,
    created_at: row.created_at.toISOString(),
  };
}
