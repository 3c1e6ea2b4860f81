import { z } from 'zod';
import { nameText } from '../http/validate.ts';
import { instant, percentage, percentText, uuid } from './fields.ts';

/** `POST /v1/tenants`. */
export const newTenant = z.strictObject({ name: nameText(120) });

export const TENANT_STATUSES = ['active', 'suspended'] as const;
export const MEMBER_ROLES = ['owner', 'member'] as const;

/** A tenant as its members and operators see it. */
export const tenant = z.object({
  tenant_id: uuid,
  name: z.string(),
  logo_url: z.string().nullable(),
  /** The tenant's publisher id at the network; set by operators. */
  trackier_pid: z.string().nullable(),
  custom_domain: z.string().nullable(),
  /** The shopper's share that offers are shown with and new campaigns begin from. */
  default_share_pct: percentText,
  status: z.enum(TENANT_STATUSES),
  created_at: instant,
});

/** A tenant in the list of one's own. */
export const ownTenant = tenant.extend({ role: z.enum(MEMBER_ROLES) });
export const ownTenants = z.array(ownTenant);

/** `PATCH /v1/tenants/:tenant_id`; `trackier_pid` and `status` by operators only. A suspended tenant's links rest and its members change nothing. */
export const tenantChange = z
  .strictObject({
    name: nameText(120),
    default_share_pct: percentage,
    trackier_pid: z
      .string()
      .regex(/^[\w.-]{1,64}$/)
      .nullable(),
    status: z.enum(TENANT_STATUSES),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one field to change' });

export type Tenant = z.output<typeof tenant>;
export type OwnTenant = z.output<typeof ownTenant>;
