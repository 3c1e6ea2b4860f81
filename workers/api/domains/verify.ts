import { resolve } from '@hissaback/shared/clients/dns';
import { domain } from '@hissaback/shared/contracts/domains';
import { sqlState } from '@hissaback/shared/db/client';
import { type DomainRow, domainChecked, domainForChange, domainVerified } from '@hissaback/shared/db/queries/domains';
import { withTenant } from '@hissaback/shared/db/tenancy';
import type { Tx } from '@hissaback/shared/db/types';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { domainView, recordName } from './view.ts';

const UNIQUE_VIOLATION = '23505';

/**
 * `POST /v1/domains/:domain_id/verify`: looks for the TXT record now. Without it the domain stays pending, which is no error; a domain that another
 * tenant has verified is a conflict, told only to who has shown the record.
 */
export const verifyDomain = new Hono<ApiContext>().post(
  '/v1/domains/:domain_id/verify',
  operation({
    id: 'verifyDomain',
    summary: 'Verify a domain by its TXT record',
    answer: domain,
    errors: ['conflict', 'unavailable'],
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const domain_id = pathId(c.req.param('domain_id'));
    const tenant_id = ownTenant(principal, undefined);
    const owned = async (tx: Tx): Promise<DomainRow> => {
      await assertMember(tx, principal, tenant_id);
      const row = await domainForChange(tx, { tenant_id, domain_id });
      if (row === null) throw new ProblemError('not_found');
      return row;
    };
    const claim = await withTenant(db, tenant_id, owned);
    if (claim.verified_at !== null) return c.json(domainView(claim));
    // Between the two transactions, so that no lock waits for a resolver.
    const resolver = { endpoint: c.env.DNS_ENDPOINT, fetch: (input: URL, init: RequestInit) => fetch(input, init) };
    const records = await resolve(resolver, recordName(claim.domain), 'TXT');
    if (records === null) {
      const detail = 'The domain name system does not answer. Try again in a moment.';
      throw new ProblemError('unavailable', { detail, headers: { 'retry-after': '30' } });
    }
    const at = new Date(clock.now());
    const row = await withTenant(db, tenant_id, async (tx) => {
      const before = await owned(tx);
      if (before.verified_at !== null) return before;
      if (records.includes(before.proof)) {
        await domainVerified(tx, { tenant_id, domain_id, at });
        await recordChange(c, tx, { tenant_id, action: 'domain.verified', subject: `domain:${domain_id}` });
      } else await domainChecked(tx, { tenant_id, domain_id, at });
      return owned(tx);
    }).catch((error: unknown) => {
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
      throw new ProblemError('conflict', { detail: 'Another tenant has verified this domain.' });
    });
    return c.json(domainView(row));
  },
);
