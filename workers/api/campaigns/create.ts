import { createdCampaign, newCampaign } from '@hissaback/shared/contracts/campaigns';
import { insertCampaign } from '@hissaback/shared/db/queries/campaigns';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `POST /v1/campaigns {tenant_id, name, share_pct}` -> `{campaign_id}`. */
export const createCampaign = new Hono<ApiContext>().post(
  '/v1/campaigns',
  operation({ id: 'createCampaign', summary: 'Create a campaign', answer: createdCampaign }),
  authenticate(['creator']),
  jsonInput(newCampaign),
  async (c) => {
    const input = c.req.valid('json');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const campaign_id = mintUuid(c.var.random);
    const at = new Date(c.var.clock.now());
    await withTenant(c.var.db, tenant_id, async (tx) => {
      await assertMember(tx, c.var.principal, tenant_id);
      const { name, share_pct } = input.check();
      await insertCampaign(tx, { campaign_id, tenant_id, name, share_pct, at });
      const details = { name, share_pct };
      await recordChange(c, tx, { tenant_id, action: 'campaign.created', subject: `campaign:${campaign_id}`, details });
    });
    return c.json({ campaign_id });
  },
);
