import { z } from 'zod';
import { nameText } from '../http/validate.ts';
import { instant, pageQuery, percentage, percentText, searchText, uuid } from './fields.ts';

export const CAMPAIGN_STATUSES = ['active', 'paused', 'archived'] as const;

/** `POST /v1/campaigns`: `share_pct` is the shopper's share. */
export const newCampaign = z.strictObject({ tenant_id: uuid, name: nameText(120), share_pct: percentage });
export const createdCampaign = z.object({ campaign_id: uuid });

export const campaign = z.object({
  campaign_id: uuid,
  tenant_id: uuid,
  name: z.string(),
  share_pct: percentText,
  status: z.enum(CAMPAIGN_STATUSES),
  created_at: instant,
});
export const campaigns = z.array(campaign);

/** `GET /v1/campaigns`; `q` is a part of the name. */
export const campaignQuery = z.object({
  tenant_id: uuid.optional(),
  status: z.enum(CAMPAIGN_STATUSES).optional(),
  q: searchText.optional(),
  ...pageQuery,
});

/** `PATCH /v1/campaigns/:campaign_id`. The share stays: rewards already promised rest on it. */
export const campaignChange = z
  .strictObject({ name: nameText(120), status: z.enum(CAMPAIGN_STATUSES) })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one field to change' });

export type Campaign = z.output<typeof campaign>;
