import { campaign, campaignChange } from '@hissaback/shared/contracts/campaigns';
import { campaignById, updateCampaign } from '@hissaback/shared/db/queries/campaigns';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { publishInBackground } from '../publish/background.ts';
import { campaignView } from './view.ts';

/** `PATCH /v1/campaigns/:campaign_id {name?, status?}`. Its links follow its status; an archived campaign stays as it is. */
export const updateCampaignRoute = new Hono<ApiContext>().patch(
  '/v1/campaigns/:campaign_id',
  operation({
    id: 'updateCampaign',
    summary: 'Rename, pause, resume or archive a campaign',
    answer: campaign,
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  jsonInput(campaignChange),
  async (c) => {
    const campaign_id = pathId(c.req.param('campaign_id'));
    const tenant_id = ownTenant(c.var.principal, undefined);
    const row = await withTenant(c.var.db, tenant_id, async (tx) => {
      await assertMember(tx, c.var.principal, tenant_id);
      if ((await campaignById(tx, { tenant_id, campaign_id })) === null) throw new ProblemError('not_found');
      const change = c.req.valid('json').check();
      const changed = await updateCampaign(tx, { tenant_id, campaign_id, ...change });
      if (changed === null) throw new ProblemError('conflict', { detail: 'The campaign is archived.' });
      const subject = `campaign:${campaign_id}`;
      await recordChange(c, tx, { tenant_id, action: 'campaign.changed', subject, details: change });
      return changed;
    });
    publishInBackground(c);
    return c.json(campaignView(row));
  },
);
