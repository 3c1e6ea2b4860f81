import { z } from 'zod';
import { NETWORK_STATUSES } from '../domain/postback.ts';
import { instant, offerId, pageQuery, uuid } from './fields.ts';
import { operatorReason } from './payouts.ts';
import { EVENT_SOURCES } from './postback-message.ts';

const amount = z.string().regex(/^\d{1,8}(\.\d{1,2})?$/);

/** The number of an unmatched postback, as in paths. */
export const unmatchedId = z.string().regex(/^[1-9]\d{0,18}$/);

/** `GET /v1/unmatched`: open ones, unless told. */
export const unmatchedQuery = z.object({
  status: z.enum(['open', 'matched', 'dismissed']).default('open'),
  /** Why it could not be matched, for example `foreign_currency`. */
  reason: z
    .string()
    .regex(/^[a-z_]{1,40}$/)
    .optional(),
  ...pageQuery,
});

export const unmatchedPostback = z.object({
  unmatched_id: z.string(),
  tenant_id: z.string().nullable(),
  reason: z.string(),
  /** What the network said, word for word. */
  raw: z.record(z.string(), z.string()),
  /** Amount and currency as far as the words tell; null where they are none. A foreign currency is kept and not credited. */
  amount: z.string().nullable(),
  currency: z.string().nullable(),
  source: z.enum(EVENT_SOURCES),
  status: z.enum(['open', 'matched', 'dismissed']),
  conv_id: z.string().nullable(),
  received_at: instant,
  resolved_at: instant.nullable(),
  resolution: z.string().nullable(),
  assigned_at: instant.nullable(),
});
export const unmatchedPostbacks = z.array(unmatchedPostback);

/**
 * `POST /v1/unmatched/:unmatched_id/assign`: the click it belongs to, or the link where there is no click (and whose purchase it was); and words to be read
 * in place of its own. Order id, payout, currency, goal and country that are empty or a macro that the network did not fill in are left out.
 */
export const unmatchedAssignment = z
  .object({
    /** A click's number, or the reference that `POST /v1/events/click` and `p1` say. */
    click_id: z
      .string()
      .regex(/^(?:[1-9]\d{0,18}|[\w-]{76})$/)
      .optional(),
    link_id: uuid.optional(),
    user_id: uuid.optional(),
    offer_id: offerId.transform(String).optional(),
    sale_amount: amount.optional(),
    payout: amount.optional(),
    txn_id: z.string().trim().min(1).max(128).optional(),
    status: z.enum(NETWORK_STATUSES).optional(),
    reason: operatorReason,
  })
  .refine(({ click_id, link_id }) => (click_id === undefined) !== (link_id === undefined), {
    path: ['click_id'],
    message: 'Name either a click or a link',
  })
  .refine(({ link_id, user_id }) => user_id === undefined || link_id !== undefined, {
    path: ['user_id'],
    message: 'A click knows its shopper',
  });

/** `POST /v1/unmatched/:unmatched_id/dismiss`. */
export const unmatchedDismissal = z.object({ reason: operatorReason });

export type UnmatchedPostback = z.output<typeof unmatchedPostback>;
