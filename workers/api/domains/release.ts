import { releasedDomain } from '@hissaback/shared/contracts/domains';
import { publishedLinkKey } from '@hissaback/shared/contracts/published-link';
import { domainForChange, releaseDomain } from '@hissaback/shared/db/queries/domains';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import type { Log } from '@hissaback/shared/http/log';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** More than these are left to the sweep. */
const DELETED_AT_ONCE = 200;

/**
 * `DELETE /v1/domains/:domain_id`: the domain is given back and may be anyone's next. Its links are archived for good; clicks made on them keep
 * counting (money rule 23).
 */
export const releaseDomainRoute = new Hono<ApiContext>().delete(
  '/v1/domains/:domain_id',
  operation({ id: 'releaseDomain', summary: 'Release a domain and archive its links', answer: releasedDomain }),
  authenticate(['creator']),
  async (c) => {
    const { principal, db, log } = c.var;
    const domain_id = pathId(c.req.param('domain_id'));
    const tenant_id = ownTenant(principal, undefined);
    const released = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const row = await domainForChange(tx, { tenant_id, domain_id });
      if (row === null) throw new ProblemError('not_found');
      // A claim that was never verified has no links, and another tenant's on that host are not seen.
      const slugs = await releaseDomain(tx, { tenant_id, domain_id, domain: row.domain });
      const details = { domain: row.domain, archived_links: slugs.length };
      await recordChange(c, tx, { tenant_id, action: 'domain.released', subject: `domain:${domain_id}`, details });
      return { domain: row.domain, slugs };
    });
    c.executionCtx.waitUntil(deleteCopies(c.env.LINKS, released.domain, released.slugs, log));
    return c.json({ archived_links: released.slugs.length });
  },
);

async function deleteCopies(links: KVNamespace, domain: string, slugs: readonly string[], log: Log): Promise<void> {
  try {
    for (const slug of slugs.slice(0, DELETED_AT_ONCE)) await links.delete(publishedLinkKey(domain, slug));
  } catch (error) {
    log.warn('copies_not_deleted', { domain, error });
  }
}
