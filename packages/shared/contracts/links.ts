import { z } from 'zod';
import { isReservedSlug } from '../domain/slug.ts';
import { isSubId } from './click-message.ts';
import { instant, offerId, pageQuery, pointInTime, uuid, webUrl } from './fields.ts';
import { isSlug, SUB_ID_NAMES } from './published-link.ts';

export const LINK_STATUSES = ['active', 'paused', 'archived'] as const;

/** A slug of the creator's own choice. */
export const slug = z
  .string()
  .refine(isSlug, { message: 'Must be 1 to 64 letters, digits, - or _' })
  .refine((text) => !isReservedSlug(text), { message: 'Is reserved' });

/** Labels of the creator's own that travel to the network as `p2` to `p5`. */
export const subIds = z.partialRecord(
  z.enum(SUB_ID_NAMES),
  z.string().refine(isSubId, { message: 'Must be 1 to 64 printable characters' }),
);

/** `POST /v1/links`. Without a slug a random one is made; `tenant_id`, if given, is the token's. */
export const newLink = z.strictObject({
  tenant_id: uuid.optional(),
  campaign_id: uuid,
  offer_id: offerId,
  slug: slug.optional(),
  expires_at: pointInTime.optional(),
  fallback_url: webUrl.optional(),
  sub_ids: subIds.optional(),
});
export const createdLink = z.object({ link_id: uuid, smart_link: z.url() });

export const link = z.object({
  link_id: uuid,
  smart_link: z.url(),
  tenant_id: uuid,
  campaign_id: uuid,
  offer_id: z.int(),
  slug: z.string(),
  status: z.enum(LINK_STATUSES),
  expires_at: instant.nullable(),
  fallback_url: z.string().nullable(),
  sub_ids: z.partialRecord(z.enum(SUB_ID_NAMES), z.string()),
  /** False while the redirect still answers with an older state; it follows within minutes. */
  published: z.boolean(),
  created_at: instant,
});
export const links = z.array(link);

/** `GET /v1/links`. */
export const linkQuery = z.object({
  tenant_id: uuid.optional(),
  campaign_id: uuid.optional(),
  status: z.enum(LINK_STATUSES).optional(),
  ...pageQuery,
});

/** `PATCH /v1/links/:link_id`; null takes an expiry or a fallback away. */
export const linkChange = z
  .strictObject({ status: z.enum(LINK_STATUSES), expires_at: pointInTime.nullable(), fallback_url: webUrl.nullable() })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one field to change' });

export type Link = z.output<typeof link>;
