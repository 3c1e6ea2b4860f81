import { z } from 'zod';
import { instant, uuid } from './fields.ts';
import { MEMBER_ROLES } from './tenants.ts';

/** `GET /v1/tenants/:tenant_id/members`. */
export const member = z.object({
  user_id: uuid,
  role: z.enum(MEMBER_ROLES),
  name: z.string().nullable(),
  /** The last four digits. */
  phone_end: z.string().nullable(),
  created_at: instant,
});
export const members = z.array(member);

/** `POST /v1/tenants/:tenant_id/invitations`. */
export const newInvitation = z.strictObject({
  phone: z.string().min(1).max(32),
  role: z.enum(MEMBER_ROLES).default('member'),
});

/** An invitation as its tenant sees it. */
export const invitation = z.object({
  invitation_id: uuid,
  role: z.enum(MEMBER_ROLES),
  /** The last four digits. */
  phone_end: z.string(),
  invited_by: uuid,
  created_at: instant,
  expires_at: instant,
});
export const invitations = z.array(invitation);

/** An invitation as the invited person sees it: `GET /v1/invitations`. */
export const ownInvitation = z.object({
  invitation_id: uuid,
  tenant_id: uuid,
  tenant_name: z.string(),
  role: z.enum(MEMBER_ROLES),
  created_at: instant,
  expires_at: instant,
});
export const ownInvitations = z.array(ownInvitation);

/** `POST /v1/invitations/:invitation_id/accept` and `/decline`. */
export const answeredInvitation = z.object({ tenant_id: uuid });

export type Member = z.output<typeof member>;
export type Invitation = z.output<typeof invitation>;
export type OwnInvitation = z.output<typeof ownInvitation>;
