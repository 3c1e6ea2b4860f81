import { z } from 'zod';
import { nameText } from '../http/validate.ts';
import { instant, moneyText, uuid } from './fields.ts';

/** Languages that messages and pages are written in. */
export const LANGUAGES = ['en', 'hi'] as const;

/** An email address in small letters. */
export const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email({ message: 'Must be an email address' }));

/** `GET /v1/me`. */
export const profile = z.object({
  user_id: uuid,
  phone: z.string().nullable(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  language: z.enum(LANGUAGES),
  /** True once a PAN was given; the PAN itself is not kept. */
  has_kyc: z.boolean(),
  created_at: instant,
  last_login_at: instant.nullable(),
});

/** `PATCH /v1/me`; null takes name or email away. */
export const profileChange = z
  .strictObject({ name: nameText(120).nullable(), email: email.nullable(), language: z.enum(LANGUAGES) })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one field to change' });

/** `POST /v1/me/kyc`. */
export const kyc = z.strictObject({ pan: z.string().min(1).max(32) });

const exported = z.array(z.record(z.string(), z.unknown()));

/** `GET /v1/me/export`: the rows as they are kept, newest first. */
export const ownData = z.object({
  exported_at: instant,
  profile,
  sessions: exported,
  memberships: exported,
  visitors: exported,
  /** Those that led to a purchase. */
  clicks: exported,
  conversions: exported,
  rewards: exported,
  balances: exported,
  payouts: exported,
  missing_cashback: exported,
  notifications: exported,
  notification_preferences: exported,
  /** Parts of which only the newest rows are here. */
  incomplete: z.array(z.string()),
});

/** `DELETE /v1/me?forfeit_balance=true`: gives up what is not paid yet. */
export const erasureQuery = z.object({
  forfeit_balance: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
});

/** What `DELETE /v1/me` adds to its refusal while there is money left. */
export const balanceLeft = z.object({
  balances: z.array(z.object({ currency: z.string(), available: moneyText, pending: moneyText })),
});

export type Profile = z.output<typeof profile>;
