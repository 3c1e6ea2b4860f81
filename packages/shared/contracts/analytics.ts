import { z } from 'zod';
import { moneyText, uuid } from './fields.ts';

/** `GET /v1/analytics/creator`: `period` is a number of days, `1d` to `366d`. */
export const creatorAnalyticsQuery = z.object({
  tenant_id: uuid.optional(),
  period: z
    .string()
    .regex(/^[1-9]\d{0,2}d$/, { message: 'Must be a number of days such as 30d' })
    .transform((text) => Number(text.slice(0, -1)))
    .pipe(z.int().max(366))
    .default(30),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('INR'),
});

/** `earnings` is the creator's side and `shared` the shoppers', neither rejected nor reversed, in `currency`. */
export const creatorAnalytics = z.object({
  clicks: z.int().min(0),
  conversions: z.int().min(0),
  earnings: moneyText,
  shared: moneyText,
  currency: z.string().length(3),
  /** What was earned in other currencies too. */
  by_currency: z.array(z.object({ currency: z.string().length(3), earnings: moneyText, shared: moneyText })),
});

export type CreatorAnalytics = z.output<typeof creatorAnalytics>;
