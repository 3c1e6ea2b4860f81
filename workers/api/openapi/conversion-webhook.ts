import type { Operation } from '@hissaback/shared/http/route-facts';
import { z } from 'zod';

/** What the network sends. Whatever else it sends is kept and not read. */
const postback = z.looseObject({
  click_id: z.string().describe('Our click reference, as the tracking link carried it in `p1`, or a click id'),
  offer_id: z.string().describe("The network's number of the offer"),
  sale_amount: z.string().describe('The order value, in decimals'),
  status: z.string().describe('pending, approved, rejected or cancelled'),
  txn_id: z.string().optional().describe('The order id'),
  payout: z.string().optional().describe('What the network pays, in decimals'),
  currency: z.string().optional().describe("ISO 4217; the offer's unless given"),
  goal_id: z.string().optional(),
  country: z.string().optional().describe('ISO 3166-1 alpha-2'),
});

const taken = z.object({ status: z.literal('ok'), ignored: z.literal(true).optional() });

const both = {
  answer: taken,
  description:
    'A 200 means that the postback is stored. `ignored` is there if it cannot become a conversion: it is kept for operators. Send it again after any other answer. The address must be on the allowlist; there is no rate limit.',
  errors: ['unauthenticated', 'forbidden', 'unavailable'],
} as const;

/** `GET` and `POST /v1/events/conversion`, which the webhook worker answers (the spec's row 8). */
export const conversionWebhook: { method: string; path: string; operation: Operation }[] = [
  {
    method: 'GET',
    path: '/v1/events/conversion',
    operation: { id: 'takePostback', summary: 'Take a postback of the network', query: postback, ...both },
  },
  {
    method: 'POST',
    path: '/v1/events/conversion',
    operation: {
      id: 'takePostedPostback',
      summary: 'Take a postback of the network, as JSON or as a form',
      body: postback,
      ...both,
    },
  },
];
