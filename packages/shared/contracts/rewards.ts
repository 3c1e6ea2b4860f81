import { z } from 'zod';
import { currencyCode, instant, moneyText, pageQuery, pointInTime, uuid } from './fields.ts';

export const REWARD_STATUSES = ['pending', 'review', 'confirmed', 'paid', 'rejected', 'reversed'] as const;

/** `GET /v1/rewards/user`: `user_id`, if given, is the token's own subject; `from` is within and `to` beyond the times of the purchases. */
export const rewardQuery = z.object({
  user_id: uuid.optional(),
  status: z.enum(REWARD_STATUSES).optional(),
  currency: currencyCode.optional(),
  tenant_id: uuid.optional(),
  from: pointInTime.optional(),
  to: pointInTime.optional(),
  ...pageQuery,
});

/** One row of the ledger: a reward, or the signed difference by which one was amended. */
export const reward = z.object({
  led_id: z.string(),
  amount: moneyText,
  currency: z.string().length(3),
  status: z.enum(REWARD_STATUSES),
  /** When the next step is due: the end of the cool-off, the payout of a confirmed reward, or that payout's own. Null: nothing is awaited, or nobody can say when. */
  eta: instant.nullable(),
  /** What it waits for meanwhile: the return period, somebody's look, a balance that is large enough for a payout, or the shopper's PAN. */
  waits_for: z.enum(['cool_off', 'review', 'minimum', 'kyc']).nullable(),
  brand: z.string().nullable(),
  created_at: instant,
});
export const rewards = z.array(reward);

/** `GET /v1/rewards/totals`. */
export const rewardTotalsQuery = z.object({ user_id: uuid.optional() });

/** One's own rewards in one currency, summed by status. */
export const rewardTotals = z.array(
  z.object({
    currency: z.string().length(3),
    pending: moneyText,
    review: moneyText,
    confirmed: moneyText,
    paid: moneyText,
    rejected: moneyText,
    reversed: moneyText,
    /** Of what is confirmed: what the next payouts may take, and what payouts under way have taken. */
    available: moneyText,
    reserved: moneyText,
    /** What was paid and taken back by the network since; the next rewards work it off. */
    receivable: moneyText,
  }),
);

/** `GET /v1/rewards/statement`: a month of India's time, as CSV. */
export const statementQuery = z.object({
  user_id: uuid.optional(),
  month: z.string().regex(/^20\d\d-(?:0[1-9]|1[0-2])$/, { message: 'Must be a month such as 2026-11' }),
});

/** `POST /v1/rewards/payout/run`. */
export const payoutRun = z.object({ paid_count: z.int().min(0) });

export type Reward = z.output<typeof reward>;
export type RewardTotals = z.output<typeof rewardTotals>;
