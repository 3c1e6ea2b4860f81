import { domain as domainShape, newDomain } from '@hissaback/shared/contracts/domains';
import { claimDomain, domainForChange, listDomains } from '@hissaback/shared/db/queries/domains';
import { lockTenant } from '@hissaback/shared/db/queries/members';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { encodeBase64url } from '@hissaback/shared/domain/base64url';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { domainView } from './view.ts';

const MOST_DOMAINS = 20;
const PROOF_BYTES = 24;
/** Names that are nobody's, or everybody's. */
const NOT_FOR_LINKS = /(?:^|\.)(?:localhost|local|internal|invalid|onion|arpa)$/;

/** `POST /v1/domains {domain}`: a claim, and the TXT record that verifies it. Claimed again it answers the claim that stands. */
export const claimDomainRoute = new Hono<ApiContext>().post(
  '/v1/domains',
  operation({ id: 'claimDomain', summary: 'Claim a domain', answer: domainShape, errors: ['conflict'] }),
  authenticate(['creator']),
  jsonInput(newDomain),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const input = c.req.valid('json');
    const tenant_id = ownTenant(principal, input.id('tenant_id'));
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const { domain } = input.check();
      if (NOT_FOR_LINKS.test(domain) || isPlatforms(domain, c.env.PLATFORM_ORIGIN)) {
        throw invalidField('domain', 'Cannot be a custom domain');
      }
      await lockTenant(tx, { tenant_id });
      const claimed = await listDomains(tx, { tenant_id });
      if (claimed.length >= MOST_DOMAINS && !claimed.some((claim) => claim.domain === domain)) {
        throw new ProblemError('conflict', { detail: `A tenant has at most ${MOST_DOMAINS} domains.` });
      }
      const proof = `hissaback-verification=${encodeBase64url(random.bytes(PROOF_BYTES))}`;
      const at = new Date(clock.now());
      const domain_id = await claimDomain(tx, { domain_id: mintUuid(random), tenant_id, domain, proof, at });
      await recordChange(c, tx, {
        tenant_id,
        action: 'domain.claimed',
        subject: `domain:${domain_id}`,
        details: { domain },
      });
      return domainForChange(tx, { tenant_id, domain_id });
    });
    if (row === null) throw new ProblemError('internal');
    return c.json(domainView(row));
  },
);

/** The platform's own host, and everything below it. */
function isPlatforms(domain: string, origin: string): boolean {
  const { hostname } = new URL(origin);
  return domain === hostname || domain.endsWith(`.${hostname}`);
}
