import { z } from 'zod';
import { instant, moneyText, offerId, pageQuery, percentText, pointInTime, uuid } from './fields.ts';
import { REWARD_STATUSES } from './rewards.ts';

/** What the network says of a conversion. */
export const CONVERSION_STATUSES = ['pending', 'approved', 'cancelled', 'rejected'] as const;

/** `GET /v1/conversions`; `from` is within and `to` beyond the times of the purchases. */
export const conversionQuery = z.object({
  tenant_id: uuid.optional(),
  status: z.enum(CONVERSION_STATUSES).optional(),
  reward_status: z.enum(REWARD_STATUSES).optional(),
  link_id: uuid.optional(),
  campaign_id: uuid.optional(),
  offer_id: offerId.optional(),
  order_id: z.string().min(1).max(128).optional(),
  from: pointInTime.optional(),
  to: pointInTime.optional(),
  ...pageQuery,
});

/** One thing that happened to a conversion: what was heard of it and what came of that, or what our books did with its reward. */
const historyEntry = z.object({
  at: instant,
  source: z.enum(['postback', 'poll', 'csv', 'operator', 'books']),
  /** In the network's own words; null where it is the books. */
  said: z.string().nullable(),
  /** Of the books: `confirmed`, `paid` or `reversed`. */
  outcome: z.string(),
  detail: z.string().nullable(),
});

/** A row of the ledger: the reward itself, or the signed difference by which it was amended. */
const rewardEntry = z.object({
  led_id: z.string(),
  user_amount: moneyText,
  creator_amount: moneyText,
  user_pct: percentText,
  currency: z.string().length(3),
  status: z.enum(REWARD_STATUSES),
  reason: z.string().nullable(),
  /** When the cool-off ends. */
  release_at: instant,
  status_at: instant,
});

/** A purchase through one of the tenant's links. Nothing in it says who the shopper is. */
export const conversion = z.object({
  conv_id: z.string(),
  link_id: uuid,
  campaign_id: uuid,
  offer_id: z.int(),
  brand: z.string().nullable(),
  order_id: z.string().nullable(),
  /** Null: the network's list does not tell. */
  order_value: moneyText.nullable(),
  net_commission: moneyText,
  currency: z.string().length(3),
  status: z.enum(CONVERSION_STATUSES),
  country: z.string().nullable(),
  click_country: z.string().nullable(),
  device: z.string().nullable(),
  sub_id: z.string().nullable(),
  clicked_at: instant,
  created_at: instant,
  received_at: instant,
  rewards: z.array(rewardEntry),
  /** Oldest first; the latest fifty at most. */
  history: z.array(historyEntry),
});
export const conversions = z.array(conversion);

export type Conversion = z.output<typeof conversion>;
