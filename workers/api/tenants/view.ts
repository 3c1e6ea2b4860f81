import type { Tenant } from '@hissaback/shared/contracts/tenants';
import type { TenantRow } from '@hissaback/shared/db/queries/tenants';

/** A tenant as the API shows it. */
export function tenantView(row: TenantRow): Tenant {
  return {
    tenant_id: row.tenant_id,
    name: row.name,
    logo_url: row.logo_url,
    trackier_pid: row.trackier_pid,
    custom_domain: row.custom_domain,
    default_share_pct: row.default_share_pct,
    status: row.status,
    created_at: row.created_at.toISOString(),
  };
}
