import { link, linkChange } from '@hissaback/shared/contracts/links';
import { linkById, linksToPublish, updateLink } from '@hissaback/shared/db/queries/links';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { tryPublish } from '../publish/publish-link.ts';
import { assertSameNetwork, changedTargets } from './targets.ts';
import { linkView } from './view.ts';

/**
 * `PATCH /v1/links/:link_id`: status, expiry, fallback, sub-ids, UTM, countries, devices; a new version, copied to KV. Clicks made before a pause keep
 * counting (money rule 23); an archived link stays as it is.
 */
export const updateLinkRoute = new Hono<ApiContext>().patch(
  '/v1/links/:link_id',
  operation({
    id: 'updateLink',
    summary: 'Change, pause, resume or archive a link',
    answer: link,
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  jsonInput(linkChange),
  async (c) => {
    const { principal, db, log } = c.var;
    const link_id = pathId(c.req.param('link_id'));
    const tenant_id = ownTenant(principal, undefined);
    const { row, state } = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const before = await linkById(tx, { tenant_id, link_id });
      if (before === null) throw new ProblemError('not_found');
      const change = c.req.valid('json').check();
      const { status, expires_at, fallback_url, sub_ids, utm, ...targeting } = change;
      const [current] = await linksToPublish(tx, { link_ids: [link_id] });
      assertSameNetwork(targeting.devices, current?.tracking_link ?? '');
      const changed = await updateLink(tx, {
        ...{ tenant_id, link_id, status, expires_at, fallback_url },
        sub_ids: sub_ids === null ? {} : sub_ids,
        utm: utm === null ? {} : utm,
        ...(Object.keys(targeting).length > 0 && { targets: changedTargets(before.targets, targeting) }),
      });
      if (changed === null) throw new ProblemError('conflict', { detail: 'The link is archived.' });
      await recordChange(c, tx, { tenant_id, action: 'link.changed', subject: `link:${link_id}`, details: change });
      const [published] = await linksToPublish(tx, { link_ids: [link_id] });
      return { row: changed, state: published };
    });
    const published = await tryPublish({ db, links: c.env.LINKS, log }, state);
    return c.json(linkView({ ...row, published }, c.env.PLATFORM_ORIGIN));
  },
);
