import type { Tx } from '../types.ts';

export type DomainRow = {
  domain_id: string;
  tenant_id: string;
  domain: string;
  /** What the TXT record must say. */
  proof: string;
  is_default: boolean;
  created_at: Date;
  checked_at: Date | null;
  verified_at: Date | null;
};

const COLUMNS = `d.domain_id, d.tenant_id, d.domain, d.proof, d.created_at, d.checked_at, d.verified_at,
  d.verified_at is not null and coalesce(t.custom_domain = d.domain, false) as is_default`;
const FROM = 'tenant_domains d join tenants t on t.tenant_id = d.tenant_id';

/** A tenant's claims, oldest first. */
export async function listDomains(tx: Tx, params: { tenant_id: string }): Promise<DomainRow[]> {
  const { rows } = await tx.query<DomainRow>(
    `select ${COLUMNS} from ${FROM} where d.tenant_id = $1 order by d.created_at, d.domain_id`,
    [params.tenant_id],
  );
  return rows;
}

/** Locks the claim, so that it is verified or released once. */
export async function domainForChange(
  tx: Tx,
  params: { tenant_id: string; domain_id: string },
): Promise<DomainRow | null> {
  const { rows } = await tx.query<DomainRow>(
    `select ${COLUMNS} from ${FROM} where d.tenant_id = $1 and d.domain_id = $2 for update of d`,
    [params.tenant_id, params.domain_id],
  );
  return rows[0] ?? null;
}

/** Claims a domain; a claim that stands already is left as it is. Answers the id of the one that stands. */
export async function claimDomain(
  tx: Tx,
  params: { domain_id: string; tenant_id: string; domain: string; proof: string; at: Date },
): Promise<string> {
  await tx.query(
    `insert into tenant_domains (domain_id, tenant_id, domain, proof, created_at) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, domain) do nothing`,
    [params.domain_id, params.tenant_id, params.domain, params.proof, params.at],
  );
  const { rows } = await tx.query<{ domain_id: string }>(
    'select domain_id from tenant_domains where tenant_id = $1 and domain = $2',
    [params.tenant_id, params.domain],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a claim that was made is not there');
  return row.domain_id;
}

/** True if links of the tenant may be made on the domain. */
export async function isVerifiedDomain(tx: Tx, params: { tenant_id: string; domain: string }): Promise<boolean> {
  const { rowCount } = await tx.query(
    'select 1 from tenant_domains where tenant_id = $1 and domain = $2 and verified_at is not null',
    [params.tenant_id, params.domain],
  );
  return rowCount > 0;
}

/** Notes that the record was looked for. */
export async function domainChecked(tx: Tx, params: { tenant_id: string; domain_id: string; at: Date }): Promise<void> {
  await tx.query('update tenant_domains set checked_at = $3 where tenant_id = $1 and domain_id = $2', [
    params.tenant_id,
    params.domain_id,
    params.at,
  ]);
}

/**
 * Notes that the domain is the tenant's, and makes it the default one if there is none. Throws SQLSTATE 23505 if it is another tenant's: the unique
 * keys decide.
 */
export async function domainVerified(
  tx: Tx,
  params: { tenant_id: string; domain_id: string; at: Date },
): Promise<void> {
  await tx.query(
    `with verified as (
       update tenant_domains set verified_at = $3, checked_at = $3 where tenant_id = $1 and domain_id = $2 returning domain
     )
     update tenants set custom_domain = v.domain from verified v where tenant_id = $1 and custom_domain is null`,
    [params.tenant_id, params.domain_id, params.at],
  );
}

/**
 * Gives a domain back. Its links are archived and leave its host, so that whoever has the domain next finds every slug free; the oldest other verified
 * domain becomes the default one. Answers the slugs that were on it.
 */
export async function releaseDomain(
  tx: Tx,
  params: { tenant_id: string; domain_id: string; domain: string },
): Promise<string[]> {
  const { rows } = await tx.query<{ slug: string }>(
    `update links set status = 'archived', host = $3::text || '.' || replace($2::uuid::text, '-', '') || '.invalid', version = version + 1
     where tenant_id = $1 and host = $3::text returning slug`,
    [params.tenant_id, params.domain_id, params.domain],
  );
  await tx.query('delete from tenant_domains where tenant_id = $1 and domain_id = $2', [
    params.tenant_id,
    params.domain_id,
  ]);
  await tx.query(
    `update tenants set custom_domain = (
       select d.domain from tenant_domains d where d.tenant_id = $1 and d.verified_at is not null order by d.verified_at limit 1)
     where tenant_id = $1 and custom_domain = $2`,
    [params.tenant_id, params.domain],
  );
  return rows.map((row) => row.slug);
}
