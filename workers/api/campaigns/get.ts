import { campaign } from '@hissaback/shared/contracts/campaigns';
import { campaignById } from '@hissaback/shared/db/queries/campaigns';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { campaignView } from './view.ts';

/** `GET /v1/campaigns/:campaign_id`. */
export const getCampaign = new Hono<ApiContext>().get(
  '/v1/campaigns/:campaign_id',
  operation({ id: 'getCampaign', summary: 'Get a campaign', answer: campaign }),
  authenticate(['creator']),
  async (c) => {
    const campaign_id = pathId(c.req.param('campaign_id'));
    const tenant_id = ownTenant(c.var.principal, undefined);
    const row = await withTenant(c.var.db, tenant_id, (tx) => campaignById(tx, { tenant_id, campaign_id }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(campaignView(row));
  },
);
