import { z } from 'zod';
import { instant, moneyText, uuid } from './fields.ts';

/** `GET /v1/earnings`: `tenant_id`, if given, is the token's own. */
export const earningsQuery = z.object({ tenant_id: uuid.optional() });

/** A tenant's earnings in one currency. */
export const earnings = z.array(
  z.object({
    currency: z.string().length(3),
    /** Earned and released, and in no payout yet. */
    available: moneyText,
    /** In payouts that are on their way. */
    reserved: moneyText,
    /** What was paid and taken back by the network since; the next earnings work it off. */
    receivable: moneyText,
    /** Delivered to the tenant's owner, ever. */
    paid: moneyText,
    /** From this much on it is paid. */
    minimum: moneyText,
    /** When the next payout is due, if there is enough by then. Null: never, or as soon as what it waits for is there. */
    next_payout_at: instant.nullable(),
    /** What keeps it back: enough for a payout, or the PAN of the tenant's owner. */
    waits_for: z.enum(['minimum', 'kyc']).nullable(),
  }),
);
export type Earnings = z.output<typeof earnings>;
