import { newLink } from '@hissaback/shared/contracts/links';
import { smartLink } from '@hissaback/shared/contracts/publish';
import { campaignById } from '@hissaback/shared/db/queries/campaigns';
import { linksToPublish } from '@hissaback/shared/db/queries/links';
import { isOfferActive } from '@hissaback/shared/db/queries/offers';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { tryPublish } from '../publish/publish-link.ts';
import { insertWithSlug } from './insert.ts';

/** `POST /v1/links {campaign_id, offer_id, ...}` -> `{link_id, smart_link}`. Committed first, then copied to KV; the sweep mends a copy that failed. */
export const createLink = new Hono<ApiContext>().post(
  '/v1/links',
  authenticate(['creator']),
  jsonInput(newLink),
  async (c) => {
    const { principal, clock, random, db, log } = c.var;
    const input = c.req.valid('json');
    const tenant_id = ownTenant(principal, input.id('tenant_id'));
    const named = input.id('campaign_id');
    const link_id = mintUuid(random);
    const at = new Date(clock.now());
    const { row, state } = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const campaign = named === undefined ? null : await campaignById(tx, { tenant_id, campaign_id: named });
      if (named !== undefined && campaign === null)
        throw new ProblemError('not_found', { detail: 'No such campaign.' });
      const link = input.check();
      if (campaign?.status === 'archived') throw new ProblemError('conflict', { detail: 'The campaign is archived.' });
      if (link.expires_at !== undefined && link.expires_at <= at) throw invalidField('expires_at', 'Must lie ahead');
      if (!(await isOfferActive(tx, link))) throw invalidField('offer_id', 'No such offer');
      const inserted = await insertWithSlug(tx, { ...link, link_id, tenant_id, at }, random);
      const [published] = await linksToPublish(tx, { link_ids: [link_id] });
      return { row: inserted, state: published };
    });
    await tryPublish({ db, links: c.env.LINKS, log }, state);
    return c.json({ link_id, smart_link: smartLink(c.env.PLATFORM_ORIGIN, row) });
  },
);
