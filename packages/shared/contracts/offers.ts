import { z } from 'zod';
import { moneyText, pageQuery, percentText, searchText, uuid } from './fields.ts';

export const OFFER_MODELS = ['cpa', 'cpi', 'cpc', 'cpm', 'cps'] as const;

/**
 * `GET /v1/offers`; an empty category is none, `q` is a part of brand or title, `country` (ISO 3166-1 alpha-2) asks for what a sale there pays, and
 * `campaign_id` for that campaign's share instead of the tenant's default one.
 */
export const offerQuery = z.object({
  tenant_id: uuid.optional(),
  category: z.string().max(120).optional(),
  q: searchText.optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { message: 'Must be a country code such as IN' })
    .optional(),
  campaign_id: uuid.optional(),
  ...pageQuery,
});

export const offer = z.object({
  /** The network's number. */
  offer_id: z.int(),
  brand: z.string(),
  title: z.string(),
  category: z.string().nullable(),
  model: z.enum(OFFER_MODELS),
  currency: z.string().length(3),
  /** What a sale pays, in percent; null where the offer pays a fixed amount (`fixed_commission`). */
  commission_pct: percentText.nullable(),
  fixed_commission: moneyText.nullable(),
  /** The parts of it that shopper and creator get, after the platform's fee; the shopper's cut off at two decimals. */
  shopper_pct: percentText.nullable(),
  creator_pct: percentText.nullable(),
  shopper_fixed: moneyText.nullable(),
  creator_fixed: moneyText.nullable(),
  /** Days until a reward is confirmed. */
  cool_off_days: z.int(),
  preview_url: z.string().nullable(),
});
export const offers = z.array(offer);

/** `GET /v1/offers/categories`. */
export const offerCategories = z.array(z.object({ category: z.string(), offers: z.int().min(1) }));

export type Offer = z.output<typeof offer>;
