import type { MEMBER_ROLES, TENANT_STATUSES } from '../../contracts/tenants.ts';
import type { Tx } from '../types.ts';

export type TenantRow = {
  tenant_id: string;
  name: string;
  logo_url: string | null;
  trackier_pid: string | null;
  custom_domain: string | null;
  default_share_pct: string;
  status: (typeof TENANT_STATUSES)[number];
  created_at: Date;
};

export type MemberRole = (typeof MEMBER_ROLES)[number];

const COLUMNS = 'tenant_id, name, logo_url, trackier_pid, custom_domain, default_share_pct, status, created_at';

/** Makes a tenant and its owner's membership together. Ids are the caller's, so that a retry meets the same key. */
export async function foundTenant(
  tx: Tx,
  params: { tenant_id: string; name: string; owner: string; at: Date },
): Promise<void> {
  await tx.query('select found_tenant($1, $2, $3, $4)', [params.tenant_id, params.name, params.owner, params.at]);
}

/** The tenants of the transaction's user, newest membership first. Runs in `withUser`. */
export async function tenantsOfUser(
  tx: Tx,
  params: { user_id: string },
): Promise<(TenantRow & { role: MemberRole })[]> {
  const { rows } = await tx.query<TenantRow & { role: MemberRole }>(
    `select ${COLUMNS.replace(/\w+/g, 't.$&')}, m.role from tenant_members m join tenants t on t.tenant_id = m.tenant_id
     where m.user_id = $1 order by m.created_at desc, m.tenant_id`,
    [params.user_id],
  );
  return rows;
}

export async function tenantById(tx: Tx, params: { tenant_id: string }): Promise<TenantRow | null> {
  const { rows } = await tx.query<TenantRow>(`select ${COLUMNS} from tenants where tenant_id = $1`, [params.tenant_id]);
  return rows[0] ?? null;
}

/** Changes what is given and leaves the rest. Null if the transaction sees no such tenant. */
export async function updateTenant(
  tx: Tx,
  params: {
    tenant_id: string;
    name?: string | undefined;
    default_share_pct?: string | undefined;
    trackier_pid?: string | null | undefined;
    status?: TenantRow['status'] | undefined;
  },
): Promise<TenantRow | null> {
  const { rows } = await tx.query<TenantRow>(
    `update tenants set name = coalesce($2, name), default_share_pct = coalesce($3, default_share_pct),
       trackier_pid = case when $4 then $5 else trackier_pid end, status = coalesce($6, status)
     where tenant_id = $1 returning ${COLUMNS}`,
    [
      params.tenant_id,
      params.name ?? null,
      params.default_share_pct ?? null,
      params.trackier_pid !== undefined,
      params.trackier_pid ?? null,
      params.status ?? null,
    ],
  );
  return rows[0] ?? null;
}

/** Where the tenant's logo is; null: it has none. */
export async function setLogo(tx: Tx, params: { tenant_id: string; logo_url: string | null }): Promise<void> {
  await tx.query('update tenants set logo_url = $2 where tenant_id = $1', [params.tenant_id, params.logo_url]);
}

/** True for a member of the tenant, suspended or not. Runs in `withTenant`. */
export async function isMember(tx: Tx, params: { tenant_id: string; user_id: string }): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from tenant_members where tenant_id = $1 and user_id = $2', [
    params.tenant_id,
    params.user_id,
  ]);
  return rowCount === 1;
}

/** The user's role in an active tenant, or null: asked in the transaction of every change (money rule 24). Runs in `withTenant`. */
export async function membership(tx: Tx, params: { tenant_id: string; user_id: string }): Promise<MemberRole | null> {
  const { rows } = await tx.query<{ role: MemberRole }>(
    `select m.role from tenant_members m join tenants t on t.tenant_id = m.tenant_id
     where m.tenant_id = $1 and m.user_id = $2 and t.status = 'active'`,
    [params.tenant_id, params.user_id],
  );
  return rows[0]?.role ?? null;
}
