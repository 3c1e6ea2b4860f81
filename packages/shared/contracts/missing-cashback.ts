import { z } from 'zod';
import { CLAIM_STATUSES } from '../db/queries/missing-cashback.ts';
import { formatPaise, parseNetworkAmount } from '../domain/money.ts';
import { AMOUNT_LIMIT, ID_LIMIT } from '../domain/postback.ts';
import { nameText } from '../http/validate.ts';
import { instant, moneyText, offerId, pageQuery } from './fields.ts';
import { operatorReason } from './payouts.ts';

/** An amount as a shopper types it, `1234.5` or `"1234.50"`: above zero, at most 10,000,000.00. Becomes `moneyText`. */
const paidAmount = z.union([z.string(), z.number()]).transform((given, context) => {
  const paise = /^\d+(\.\d{1,2})?$/.test(String(given)) ? parseNetworkAmount(String(given)) : null;
  if (paise !== null && paise > 0n && paise <= AMOUNT_LIMIT) return formatPaise(paise);
  context.addIssue({ code: 'custom', message: 'Must be an amount above zero with at most two decimals' });
  return z.NEVER;
});

/** `POST /v1/missing-cashback`: a purchase at a merchant, named by an offer's number or the brand. */
export const newMissingCashback = z
  .object({
    offer_id: offerId.optional(),
    brand: nameText(200).optional(),
    /** The day of the purchase. */
    date: z.iso.date(),
    order_id: nameText(ID_LIMIT.txn),
    amount: paidAmount,
  })
  .refine(({ offer_id, brand }) => (offer_id === undefined) !== (brand === undefined), {
    path: ['brand'],
    message: 'Name either the offer or the brand',
  });

/** `GET /v1/missing-cashback`: one's own claims; an operator's list takes a status. */
export const missingCashbackQuery = z.object({ status: z.enum(CLAIM_STATUSES).default('open'), ...pageQuery });

export const missingCashback = z.object({
  claim_id: z.string(),
  brand: z.string(),
  offer_id: z.int().nullable(),
  date: z.iso.date(),
  order_id: z.string(),
  amount: moneyText,
  /** open: searched for, again every day. approved: an operator decided, it is being carried out. */
  status: z.enum(CLAIM_STATUSES),
  /** The reward's conversion, once there is one. */
  conv_id: z.string().nullable(),
  created_at: instant,
  decided_at: instant.nullable(),
  reason: z.string().nullable(),
  /** For operators only. */
  operations: z
    .object({
      user_id: z.string(),
      /** Which rule linked it, or why none did. */
      rule: z.string().nullable(),
      unmatched_id: z.string().nullable(),
      evidence: z.record(z.string(), z.unknown()),
    })
    .optional(),
});
export const missingCashbacks = z.array(missingCashback);

const bigId = z.string().regex(/^[1-9]\d{0,18}$/);

/**
 * `POST /v1/missing-cashback/:claim_id/decide`: rejected, or approved with what it is about: a conversion that no shopper is known of, or an unmatched
 * postback, to which a click is given (`click_id`: the shopper's, or nobody's), or one on a link (`link_id`) where there is none. It becomes the claimant's.
 */
export const missingCashbackDecision = z
  .object({
    decision: z.enum(['approve', 'reject']),
    reason: operatorReason,
    conv_id: bigId.optional(),
    unmatched_id: bigId.optional(),
    click_id: bigId.optional(),
    link_id: z.guid().toLowerCase().optional(),
    /** What the postback lacks; the amount that was paid. */
    sale_amount: paidAmount.optional(),
  })
  .refine(
    ({ decision, conv_id, unmatched_id }) =>
      decision === 'reject' || (conv_id === undefined) !== (unmatched_id === undefined),
    { path: ['conv_id'], message: 'An approval names either a conversion or an unmatched postback' },
  )
  .refine(
    ({ unmatched_id, click_id, link_id }) =>
      unmatched_id === undefined || (click_id === undefined) !== (link_id === undefined),
    { path: ['click_id'], message: 'An unmatched postback needs either a click or a link' },
  );

export type MissingCashback = z.output<typeof missingCashback>;
