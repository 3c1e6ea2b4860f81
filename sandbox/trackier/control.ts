import { z } from 'zod';
import { toMinor } from '../kit/decimal.ts';
import { STATUSES } from './model.ts';

const decimal = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => toMinor(text) !== undefined, 'not a decimal amount');

/** What may change about a conversion afterwards. The network sends no postback for it unless asked to. */
export const conversionUpdate = z.strictObject({
  status: z.enum(STATUSES).optional(),
  payout: decimal.optional(),
  sale_amount: decimal.optional(),
  txn_id: z.string().max(500).nullable().optional(),
  postback: z.boolean().default(false),
});

const payouts = z
  .array(
    z.strictObject({
      payout: z.number().min(0),
      fixedPayout: z.number().min(0).nullable().default(null),
      geo: z.array(z.string()).default(['ALL']),
    }),
  )
  .default([]);

const campaign = z.strictObject({
  id: z.number().int().positive(),
  title: z.string().max(300),
  currency: z.string().nullable().default('INR'),
  model: z.enum(['cpa', 'cpi', 'cpc', 'cpm', 'cps']).default('cps'),
  preview_url: z.string().default('https://shop.example/'),
  landingPage: z.string().default('https://shop.example/'),
  categories: z.array(z.string()).default([]),
  payouts,
  goals: z.array(z.strictObject({ id: z.string(), title: z.string(), payouts })).default([]),
  status: z.enum(['active', 'paused']).default('active'),
  approved: z.boolean().default(true),
});

export const campaignUpdate = z.strictObject({
  upsert: z.array(campaign).max(1000).default([]),
  remove: z.array(z.number().int()).max(1000).default([]),
});
