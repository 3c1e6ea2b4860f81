import type { Tx } from '../types.ts';
import type { MemberRole } from './tenants.ts';

export type MemberRow = {
  user_id: string;
  role: MemberRole;
  name: string | null;
  /** The last four digits. */
  phone_end: string | null;
  created_at: Date;
};

export type InvitationRow = {
  invitation_id: string;
  role: MemberRole;
  /** The last four digits. */
  phone_end: string;
  invited_by: string;
  created_at: Date;
  expires_at: Date;
};

/** An invitation as the invited person sees it. */
export type OwnInvitationRow = {
  invitation_id: string;
  tenant_id: string;
  tenant_name: string;
  role: MemberRole;
  created_at: Date;
  expires_at: Date;
};

/** Invitations that one person is shown. */
const MAX_OWN_INVITATIONS = 100;
/** Invitations a tenant may have open at once. */
export const MAX_INVITATIONS = 50;

/** Lets one transaction at a time count and change a tenant's people or keys. Runs in `withTenant`. */
export async function lockTenant(tx: Tx, params: { tenant_id: string }): Promise<void> {
  await tx.query('select 1 from tenants where tenant_id = $1 for update', [params.tenant_id]);
}

/** The people of the transaction's tenant, oldest membership first. Runs in `withTenant`. */
export async function listMembers(tx: Tx): Promise<MemberRow[]> {
  const { rows } = await tx.query<MemberRow>('select user_id, role, name, phone_end, created_at from tenant_people()');
  return rows;
}

/** Removes a member unless nobody would own the tenant then. The tenant is locked (`lockTenant`). Runs in `withTenant`. */
export async function removeMember(
  tx: Tx,
  params: { tenant_id: string; user_id: string; at: Date },
): Promise<'removed' | 'no_member' | 'last_owner'> {
  const { rows } = await tx.query<{ role: MemberRole; owners: bigint }>(
    `select m.role, (select count(*) from tenant_members o where o.tenant_id = $1 and o.role = 'owner') as owners
     from tenant_members m where m.tenant_id = $1 and m.user_id = $2`,
    [params.tenant_id, params.user_id],
  );
  const [member] = rows;
  if (member === undefined) return 'no_member';
  if (member.role === 'owner' && member.owners <= 1n) return 'last_owner';
  await tx.query('delete from tenant_members where tenant_id = $1 and user_id = $2', [
    params.tenant_id,
    params.user_id,
  ]);
  await tx.query(
    `update invitations set status = 'revoked', status_at = $3, phone = null
     where tenant_id = $1 and invited_by = $2 and status = 'open'`,
    [params.tenant_id, params.user_id, params.at],
  );
  return 'removed';
}

/**
 * Invites a phone, whether anybody has it or not. A phone that is invited already gets the new role and term under its old id. Null if the tenant has its fill.
 * The tenant is locked (`lockTenant`). Runs in `withTenant`.
 */
export async function invite(
  tx: Tx,
  params: {
    invitation_id: string;
    tenant_id: string;
    phone: string;
    role: MemberRole;
    invited_by: string;
    at: Date;
    expires_at: Date;
  },
): Promise<InvitationRow | null> {
  // A phone that nobody answered for is forgotten with its invitation.
  await tx.query(
    `update invitations set status = 'revoked', status_at = $2, phone = null where tenant_id = $1 and status = 'open' and expires_at <= $2`,
    [params.tenant_id, params.at],
  );
  const { rows } = await tx.query<InvitationRow>(
    `insert into invitations as i (invitation_id, tenant_id, phone, role, invited_by, created_at, expires_at, status_at)
     select $1, $2, $3::varchar, $4, $5, $6, $7, $6
     where (select count(*) from invitations where tenant_id = $2 and status = 'open' and phone <> $3::varchar) < $8
     on conflict (tenant_id, phone) where status = 'open'
       do update set role = excluded.role, invited_by = excluded.invited_by, expires_at = excluded.expires_at, status_at = excluded.status_at
     returning ${INVITATION}`,
    [
      params.invitation_id,
      params.tenant_id,
      params.phone,
      params.role,
      params.invited_by,
      params.at,
      params.expires_at,
      MAX_INVITATIONS,
    ],
  );
  return rows[0] ?? null;
}

const INVITATION = 'i.invitation_id, i.role, right(i.phone, 4) as phone_end, i.invited_by, i.created_at, i.expires_at';

/** The tenant's open invitations, newest first. Runs in `withTenant`. */
export async function listInvitations(tx: Tx, params: { tenant_id: string; at: Date }): Promise<InvitationRow[]> {
  const { rows } = await tx.query<InvitationRow>(
    `select ${INVITATION} from invitations i
     where i.tenant_id = $1 and i.status = 'open' and i.expires_at > $2 order by i.created_at desc, i.invitation_id`,
    [params.tenant_id, params.at],
  );
  return rows;
}

/** Takes an open invitation back. False if there is none such. Runs in `withTenant`. */
export async function revokeInvitation(
  tx: Tx,
  params: { tenant_id: string; invitation_id: string; at: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update invitations set status = 'revoked', status_at = $3, phone = null
     where tenant_id = $1 and invitation_id = $2 and status = 'open'`,
    [params.tenant_id, params.invitation_id, params.at],
  );
  return rowCount === 1;
}

/** The open invitations to the phone of the transaction's user, the newest `MAX_OWN_INVITATIONS`. Runs in `withUser`. */
export async function ownInvitations(tx: Tx, params: { at: Date }): Promise<OwnInvitationRow[]> {
  const { rows } = await tx.query<OwnInvitationRow>(
    'select invitation_id, tenant_id, tenant_name, role, created_at, expires_at from open_invitations($1) limit $2',
    [params.at, MAX_OWN_INVITATIONS],
  );
  return rows;
}

/** Accepts or declines in the name of the transaction's user; answers the tenant, or null if it is no open invitation of theirs. Runs in `withUser`. */
export async function answerInvitation(
  tx: Tx,
  params: { invitation_id: string; accept: boolean; at: Date },
): Promise<string | null> {
  const { rows } = await tx.query<{ tenant_id: string | null }>('select answer_invitation($1, $2, $3) as tenant_id', [
    params.invitation_id,
    params.accept,
    params.at,
  ]);
  return rows[0]?.tenant_id ?? null;
}
