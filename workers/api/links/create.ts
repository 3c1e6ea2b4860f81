import { createdLink, newLink } from '@hissaback/shared/contracts/links';
import { smartLink } from '@hissaback/shared/contracts/publish';
import { linksToPublish } from '@hissaback/shared/db/queries/links';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { tryPublish } from '../publish/publish-link.ts';
import { makeLink, ownCampaign } from './make.ts';

/** `POST /v1/links {campaign_id, offer_id, ...}` -> `{link_id, smart_link}`. Committed first, then copied to KV; the sweep mends a copy that failed. */
export const createLink = new Hono<ApiContext>().post(
  '/v1/links',
  operation({
    id: 'createLink',
    summary: 'Create a smart link',
    answer: createdLink,
    errors: ['not_found', 'conflict', 'unavailable'],
  }),
  authenticate(['creator']),
  jsonInput(newLink),
  async (c) => {
    const { principal, clock, random, db, log } = c.var;
    const input = c.req.valid('json');
    const tenant_id = ownTenant(principal, input.id('tenant_id'));
    const at = new Date(clock.now());
    const { row, state } = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const campaign = await ownCampaign(tx, tenant_id, input.id('campaign_id'));
      const made = await makeLink(tx, input.check(), campaign, { tenant_id, random, at });
      await recordChange(c, tx, { tenant_id, action: 'link.created', subject: `link:${made.link_id}` });
      const [published] = await linksToPublish(tx, { link_ids: [made.link_id] });
      return { row: made, state: published };
    });
    await tryPublish({ db, links: c.env.LINKS, log }, state);
    return c.json({ link_id: row.link_id, smart_link: smartLink(c.env.PLATFORM_ORIGIN, row) });
  },
);
