import { z } from 'zod';
import { nameText } from '../http/validate.ts';
import { instant, moneyText, pageQuery, uuid, webUrl } from './fields.ts';
import { REWARD_STATUSES } from './rewards.ts';

export const WEBHOOK_EVENTS = [
  'conversion.created',
  'conversion.confirmed',
  'conversion.reversed',
  'reward.paid',
] as const;

/** `failing`: disabled by us after lasting failure. */
export const ENDPOINT_STATUSES = ['enabled', 'disabled', 'failing'] as const;
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;

const events = z
  .array(z.enum(WEBHOOK_EVENTS))
  .min(1)
  .max(20)
  .transform((types) => [...new Set(types)]);
const description = nameText(120);

/** `POST /v1/webhooks`; without events all of them. */
export const newEndpoint = z.strictObject({
  tenant_id: uuid.optional(),
  url: webUrl,
  description: description.optional(),
  events: events.default([...WEBHOOK_EVENTS]),
});

/** Where a tenant's server hears of its conversions, signed as Standard Webhooks says. */
export const endpoint = z.object({
  endpoint_id: uuid,
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.enum(WEBHOOK_EVENTS)),
  status: z.enum(ENDPOINT_STATUSES),
  /** Failed attempts since the last one that was answered well, and when the first of them was. */
  failures: z.int().min(0),
  failing_since: instant.nullable(),
  /** Until then deliveries carry the signature of the secret before, too. */
  previous_secret_until: instant.nullable(),
  created_at: instant,
  status_at: instant,
});
export const endpoints = z.array(endpoint);

/** The secret is shown here and never again. */
export const endpointWithSecret = endpoint.extend({ secret: z.string().startsWith('whsec_') });

/** `PATCH /v1/webhooks/:endpoint_id`. */
export const endpointChange = z
  .strictObject({
    url: webUrl,
    description: description.nullable(),
    events,
    status: z.enum(['enabled', 'disabled']),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one field to change' });

/** `GET /v1/webhooks/:endpoint_id/deliveries`. */
export const deliveryQuery = z.object({ status: z.enum(DELIVERY_STATUSES).optional(), ...pageQuery });

/** An event on its way to an endpoint; the same event has the same `webhook-id` however often it is sent. */
export const delivery = z.object({
  delivery_id: uuid,
  event_id: uuid,
  type: z.enum(WEBHOOK_EVENTS),
  status: z.enum(DELIVERY_STATUSES),
  attempts: z.int().min(0),
  next_attempt_at: instant.nullable(),
  replay_of: uuid.nullable(),
  response_status: z.int().nullable(),
  /** The beginning of the last answer, at most 1,024 characters. */
  response_body: z.string().nullable(),
  error: z.string().nullable(),
  duration_ms: z.int().nullable(),
  created_at: instant,
  attempted_at: instant.nullable(),
  delivered_at: instant.nullable(),
});
export const deliveries = z.array(delivery);

const ofConversion = {
  conv_id: z.string(),
  currency: z.string().length(3),
  reward_status: z.enum(REWARD_STATUSES),
  /** The four below are null once the conversion is no longer kept, `order_value` also where the network does not tell it. */
  link_id: uuid.nullable(),
  campaign_id: uuid.nullable(),
  offer_id: z.int().nullable(),
  order_value: moneyText.nullable(),
  created_at: instant,
};
const message = <Type extends WebhookEvent, Data extends z.ZodRawShape>(type: Type, data: Data) =>
  z.object({ type: z.literal(type), timestamp: instant, data: z.object({ ...ofConversion, ...data }) });
/** The conversion's worth to the shopper and to the creator, amendments included. */
const shares = { user_amount: moneyText, creator_amount: moneyText };

/** What is sent to an endpoint, by its type. It says nothing of who bought. */
export const webhookMessages = {
  'conversion.created': message('conversion.created', shares),
  'conversion.confirmed': message('conversion.confirmed', shares),
  'conversion.reversed': message('conversion.reversed', shares),
  'reward.paid': message('reward.paid', { led_id: z.string(), amount: moneyText }),
} as const satisfies Record<WebhookEvent, z.ZodType>;

export type Endpoint = z.output<typeof endpoint>;
export type Delivery = z.output<typeof delivery>;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** What travels through the queue `webhooks`: a delivery whose next attempt is due, and how many it has had. */
export type WebhookMessage = { delivery_id: string; attempts: number };

/** The message in a queue's body, or null if it is none of ours. Never throws. */
export function parseWebhookMessage(body: unknown): WebhookMessage | null {
  if (typeof body !== 'object' || body === null) return null;
  const { delivery_id, attempts } = body as Readonly<Record<string, unknown>>;
  if (!uuid.safeParse(delivery_id).success || typeof attempts !== 'number' || !Number.isSafeInteger(attempts))
    return null;
  return { delivery_id: String(delivery_id), attempts };
}
