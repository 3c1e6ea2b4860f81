import { z } from 'zod';
import { moneyText, pageQuery, percentText, uuid } from './fields.ts';

export const OFFER_MODELS = ['cpa', 'cpi', 'cpc', 'cpm', 'cps'] as const;

/** `GET /v1/offers`; an empty category is none. */
export const offerQuery = z.object({
  tenant_id: uuid.optional(),
  category: z.string().max(120).optional(),
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
  /** The part of `commission_pct` that a shopper gets at the tenant's default share, cut off at two decimals. */
  shopper_pct: percentText.nullable(),
  preview_url: z.string().nullable(),
});
export const offers = z.array(offer);

export type Offer = z.output<typeof offer>;
