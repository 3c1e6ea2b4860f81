import type { Domain } from '@hissaback/shared/contracts/domains';
import type { DomainRow } from '@hissaback/shared/db/queries/domains';

/** Where the TXT record that proves a domain is looked for. */
export function recordName(domain: string): string {
  return `_hissaback.${domain}`;
}

/** A domain as the API shows it. */
export function domainView(row: DomainRow): Domain {
  return {
    domain_id: row.domain_id,
    domain: row.domain,
    status: row.verified_at === null ? 'pending' : 'verified',
    is_default: row.is_default,
    record: { type: 'TXT', name: recordName(row.domain), value: row.proof },
    created_at: row.created_at.toISOString(),
    checked_at: row.checked_at?.toISOString() ?? null,
    verified_at: row.verified_at?.toISOString() ?? null,
  };
}
