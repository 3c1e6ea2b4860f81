import type { Invitation, OwnInvitation } from '@hissaback/shared/contracts/members';
import type { InvitationRow, OwnInvitationRow } from '@hissaback/shared/db/queries/members';

/** An invitation as its tenant sees it. */
export function invitationView(row: InvitationRow): Invitation {
  return { ...row, created_at: row.created_at.toISOString(), expires_at: row.expires_at.toISOString() };
}

/** An invitation as the invited person sees it. */
export function ownInvitationView(row: OwnInvitationRow): OwnInvitation {
  return { ...row, created_at: row.created_at.toISOString(), expires_at: row.expires_at.toISOString() };
}
