import { z } from 'zod';
import { NOTIFICATION_KINDS } from '../domain/notification.ts';
import { instant, moneyText, pageQuery, uuid } from './fields.ts';

export const PAYOUT_STATUSES = [
  'queued',
  'sending',
  'issued',
  'paid',
  'error_hard',
  'error_soft',
  'held',
  'cancelled',
] as const;

/** Why an operator does something. It is kept in the audit log. */
export const operatorReason = z
  .string()
  .trim()
  .min(3)
  .max(500)
  .regex(/^[^\p{C}]*$/u, { message: 'May not contain control characters' });

/** `GET /v1/payouts`: an operator's for any tenant and person, anybody else's for the own ones. */
export const payoutQuery = z.object({
  status: z.enum(PAYOUT_STATUSES).optional(),
  tenant_id: uuid.optional(),
  user_id: uuid.optional(),
  /** For operators: by what the SMS gateway reported of the voucher's message. */
  delivery: z.enum(['delivered', 'failed', 'unreported']).optional(),
  ...pageQuery,
});

/** A payout; never its code. */
export const payout = z.object({
  payout_id: z.string(),
  tenant_id: z.string(),
  side: z.enum(['shopper', 'creator']),
  user_id: z.string(),
  amount: moneyText,
  currency: z.string().length(3),
  status: z.enum(PAYOUT_STATUSES),
  /** Set while an operator holds it. */
  held_at: instant.nullable(),
  created_at: instant,
  issued_at: instant.nullable(),
  paid_at: instant.nullable(),
  /** For operators only. */
  operations: z
    .object({
      attempts: z.int(),
      sms_attempts: z.int(),
      error_code: z.string().nullable(),
      error_type: z.string().nullable(),
      creation_request_id: z.string(),
      gc_id: z.string().nullable(),
      next_attempt_at: instant,
      held_by: z.string().nullable(),
      is_cancelling: z.boolean(),
      resolved_at: instant.nullable(),
      /** The voucher's message: the one that arrived, else the last; null before the first. */
      message: z
        .object({
          /** What the gateway answered; `unknown` if nothing, when it may have gone out. */
          status: z.enum(['sending', 'accepted', 'refused', 'unknown']),
          /** What it reported later; null if nothing yet. */
          delivery: z.enum(['delivered', 'failed']).nullable(),
          /** Why it was refused or failed. */
          reason: z.string().nullable(),
          at: instant,
        })
        .nullable(),
    })
    .optional(),
});
export const payouts = z.array(payout);
export type PayoutView = z.output<typeof payout>;

/** `POST /v1/payouts/:payout_id/{hold,release,cancel,retry,resolve}`. */
export const payoutAction = z.object({ reason: operatorReason });
export const payoutOperated = z.object({ payout_id: z.string(), status: z.enum(PAYOUT_STATUSES) });

/** `POST /v1/payouts/:payout_id/resend`. */
export const voucherResent = z.object({ payout_id: z.string(), status: z.literal('sent') });

/** `POST /v1/payouts/:payout_id/voucher`. */
export const shownVoucher = z.object({
  payout_id: z.string(),
  amount: moneyText,
  currency: z.string().length(3),
  claim_code: z.string(),
});

/** `POST /v1/kill-switches`: without a tenant it is thrown for all. */
export const newKillSwitch = z.object({
  scope: z.enum(['payouts', 'links']),
  tenant_id: uuid.optional(),
  reason: operatorReason,
});
export const killSwitch = z.object({
  switch_id: z.string(),
  scope: z.enum(['payouts', 'links']),
  tenant_id: z.string().nullable(),
  reason: z.string(),
  thrown_at: instant,
  thrown_by: z.string(),
  cleared_at: instant.nullable(),
  cleared_by: z.string().nullable(),
});
export const killSwitches = z.array(killSwitch);

const switches = Object.fromEntries(NOTIFICATION_KINDS.map((kind) => [kind, z.boolean()])) as Record<
  (typeof NOTIFICATION_KINDS)[number],
  z.ZodBoolean
>;
/** `GET` and `PATCH /v1/me/notifications`. Codes and vouchers come in any case. */
export const notificationPreferences = z.object(switches);
export const notificationChange = z
  .object(switches)
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one kind' });

const month = z.string().regex(/^20\d\d-(?:0[1-9]|1[0-2])$/, { message: 'Must be a month such as 2026-11' });

/** `GET /v1/statements/payouts`: a month of India's time. */
export const payoutStatementQuery = z.object({ month, tenant_id: uuid.optional() });

/** `GET /v1/statements/tenant`: a month of India's time. */
export const tenantStatementQuery = z.object({
  tenant_id: uuid.optional(),
  month,
  format: z.enum(['csv', 'html']).default('csv'),
});
