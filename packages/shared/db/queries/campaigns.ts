import type { CAMPAIGN_STATUSES } from '../../contracts/campaigns.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

export type CampaignRow = {
  campaign_id: string;
  tenant_id: string;
  name: string;
  share_pct: string;
  status: CampaignStatus;
  created_at: Date;
};

const COLUMNS = 'campaign_id, tenant_id, name, share_pct, status, created_at';

export async function insertCampaign(
  tx: Tx,
  params: { campaign_id: string; tenant_id: string; name: string; share_pct: string; at: Date },
): Promise<void> {
  await tx.query(
    'insert into campaigns (campaign_id, tenant_id, name, share_pct, created_at) values ($1, $2, $3, $4, $5)',
    [params.campaign_id, params.tenant_id, params.name, params.share_pct, params.at],
  );
}

export async function campaignById(
  tx: Tx,
  params: { tenant_id: string; campaign_id: string },
): Promise<CampaignRow | null> {
  const { rows } = await tx.query<CampaignRow>(
    `select ${COLUMNS} from campaigns where tenant_id = $1 and campaign_id = $2`,
    [params.tenant_id, params.campaign_id],
  );
  return rows[0] ?? null;
}

/** Newest first, from behind `after`: a creation time in microseconds since the epoch, and the id that ties are broken by. */
export async function listCampaigns(
  tx: Tx,
  params: {
    tenant_id: string;
    status?: CampaignStatus | undefined;
    /** A part of the name, in whatever capitals. */
    search?: string | undefined;
    after?: { at: bigint; id: string } | undefined;
    limit: number;
  },
): Promise<(CampaignRow & { at: bigint })[]> {
  const { rows } = await tx.query<CampaignRow & { at: bigint }>(
    `select ${COLUMNS}, ${microsecondsOf('created_at')} as at from campaigns
     where tenant_id = $1 and ($2::text is null or status = $2) and ($6::text is null or position(lower($6) in lower(name)) > 0)
       and ($3::bigint is null or (created_at, campaign_id) < (${fromMicroseconds('$3')}, $4::uuid))
     order by created_at desc, campaign_id desc limit $5`,
    [
      params.tenant_id,
      params.status ?? null,
      params.after?.at ?? null,
      params.after?.id ?? null,
      params.limit,
      params.search ?? null,
    ],
  );
  return rows;
}

/** Changes what is given; null if there is no such campaign or it is archived, which is for good. */
export async function updateCampaign(
  tx: Tx,
  params: {
    tenant_id: string;
    campaign_id: string;
    name?: string | undefined;
    status?: CampaignStatus | undefined;
  },
): Promise<CampaignRow | null> {
  const { rows } = await tx.query<CampaignRow>(
    `update campaigns set name = coalesce($3, name), status = coalesce($4, status)
     where tenant_id = $1 and campaign_id = $2 and status <> 'archived' returning ${COLUMNS}`,
    [params.tenant_id, params.campaign_id, params.name ?? null, params.status ?? null],
  );
  return rows[0] ?? null;
}
