import { linkChange } from '@hissaback/shared/contracts/links';
import { linkById, linksToPublish, updateLink } from '@hissaback/shared/db/queries/links';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { tryPublish } from '../publish/publish-link.ts';
import { linkView } from './view.ts';

/**
 * `PATCH /v1/links/:link_id {status?, expires_at?, fallback_url?}`: a new version, copied to KV. Clicks made before a pause keep counting (money
 * rule 23); an archived link stays as it is.
 */
export const updateLinkRoute = new Hono<ApiContext>().patch(
  '/v1/links/:link_id',
  authenticate(['creator']),
  jsonInput(linkChange),
  async (c) => {
    const { principal, db, log } = c.var;
    const link_id = pathId(c.req.param('link_id'));
    const tenant_id = ownTenant(principal, undefined);
    const { row, state } = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      if ((await linkById(tx, { tenant_id, link_id })) === null) throw new ProblemError('not_found');
      const change = c.req.valid('json').check();
      const changed = await updateLink(tx, { tenant_id, link_id, ...change });
      if (changed === null) throw new ProblemError('conflict', { detail: 'The link is archived.' });
      const [published] = await linksToPublish(tx, { link_ids: [link_id] });
      return { row: changed, state: published };
    });
    const published = await tryPublish({ db, links: c.env.LINKS, log }, state);
    return c.json(linkView({ ...row, published }, c.env.PLATFORM_ORIGIN));
  },
);
