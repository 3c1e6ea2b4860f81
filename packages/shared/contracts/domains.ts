import { z } from 'zod';
import { domainName, instant, uuid } from './fields.ts';

/** `POST /v1/domains`: any number of tenants may claim a domain, one can verify it. */
export const newDomain = z.strictObject({ tenant_id: uuid.optional(), domain: domainName });

/** A tenant's domain, verified by a TXT record; links can be made on it from then on. */
export const domain = z.object({
  domain_id: uuid,
  domain: z.string(),
  status: z.enum(['pending', 'verified']),
  /** True for the domain that new links are on unless they name another. */
  is_default: z.boolean(),
  /** The TXT record that verifies the domain. */
  record: z.object({ type: z.literal('TXT'), name: z.string(), value: z.string() }),
  created_at: instant,
  checked_at: instant.nullable(),
  verified_at: instant.nullable(),
});
export const domains = z.array(domain);

/** `DELETE /v1/domains/:domain_id`: links on it are archived, and their number told. */
export const releasedDomain = z.object({ archived_links: z.int().min(0) });

export type Domain = z.output<typeof domain>;
