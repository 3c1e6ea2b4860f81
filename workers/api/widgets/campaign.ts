import { campaignById } from '@hissaback/shared/db/queries/campaigns';
import type { Tx } from '@hissaback/shared/db/types';
import { ProblemError } from '@hissaback/shared/http/problem';

/** Refuses a campaign that is not the tenant's: 404 whether or not it is somebody else's. */
export async function assertCampaign(tx: Tx, tenant_id: string, campaign_id: string | undefined): Promise<void> {
  if (campaign_id === undefined || (await campaignById(tx, { tenant_id, campaign_id })) !== null) return;
  throw new ProblemError('not_found', { detail: 'No such campaign.' });
}
