import { z } from 'zod';
import { instant, moneyText, pageQuery, uuid } from './fields.ts';

export const REWARD_STATUSES = ['pending', 'review', 'confirmed', 'paid', 'rejected', 'reversed'] as const;

/** `GET /v1/rewards/user`: `user_id`, if given, is the token's own subject. */
export const rewardQuery = z.object({ user_id: uuid.optional(), ...pageQuery });

/** One row of the ledger: a reward, or the signed difference by which one was amended. */
export const reward = z.object({
  led_id: z.string(),
  amount: moneyText,
  currency: z.string().length(3),
  status: z.enum(REWARD_STATUSES),
  /** When the next step is due: the end of the cool-off, or the payout of a confirmed reward. Null: nothing is awaited. */
  eta: instant.nullable(),
  brand: z.string().nullable(),
  created_at: instant,
});
export const rewards = z.array(reward);

/** `POST /v1/rewards/payout/run`. */
export const payoutRun = z.object({ paid_count: z.int().min(0) });

export type Reward = z.output<typeof reward>;
