import { z } from 'zod';
import { isReservedSlug } from '../domain/slug.ts';
import { isCountry, isSubId } from './click-message.ts';
import { domainName, instant, offerId, pageQuery, pointInTime, searchText, uuid, webUrl } from './fields.ts';
import { isSlug, SUB_ID_NAMES, UTM_NAMES } from './published-link.ts';

export const LINK_STATUSES = ['active', 'paused', 'archived'] as const;

/** Most links that one request makes. */
export const BULK_LINKS = 100;
const MAX_COUNTRIES = 250;
const DEVICES = ['ios', 'android'] as const;

/** A slug of the creator's own choice. */
export const slug = z
  .string()
  .refine(isSlug, { message: 'Must be 1 to 64 letters, digits, - or _' })
  .refine((text) => !isReservedSlug(text), { message: 'Is reserved' });

const label = z.string().refine(isSubId, { message: 'Must be 1 to 64 printable characters' });

/** Labels of the creator's own that travel to the network as `p2` to `p5`. */
export const subIds = z.partialRecord(z.enum(SUB_ID_NAMES), label);

/** Campaign parameters that the merchant's own analytics read. */
export const utm = z.partialRecord(z.enum(UTM_NAMES), label);

/** The countries a link is for (ISO 3166-1 alpha-2); visitors from others go to `else`, uncounted, or see a page that says so. */
export const countries = z.strictObject({
  only: z
    .array(z.string().refine(isCountry, { message: 'Must be a country code such as IN' }))
    .min(1)
    .max(MAX_COUNTRIES)
    .transform((codes) => [...new Set(codes)]),
  else: webUrl.optional(),
});

/** Tracking links of the same network for a device's system, in place of the offer's. */
export const devices = z.partialRecord(z.enum(DEVICES), webUrl);

/** What a link may be made with and changed to. */
const settings = {
  expires_at: pointInTime,
  /** Where the link leads once it has expired. */
  fallback_url: webUrl,
  sub_ids: subIds,
  utm,
  countries,
  devices,
};

/**
 * `POST /v1/links`. Without a slug a random one is made; without a domain the link is on the tenant's own if it has one, with null on the platform's;
 * `tenant_id`, if given, is the token's.
 */
export const newLink = z.strictObject({
  tenant_id: uuid.optional(),
  campaign_id: uuid,
  offer_id: offerId,
  slug: slug.optional(),
  domain: domainName.nullable().optional(),
  expires_at: settings.expires_at.optional(),
  fallback_url: settings.fallback_url.optional(),
  sub_ids: settings.sub_ids.optional(),
  utm: settings.utm.optional(),
  countries: settings.countries.optional(),
  devices: settings.devices.optional(),
});
export const createdLink = z.object({ link_id: uuid, smart_link: z.url() });

/** `POST /v1/links/bulk`: each row as `newLink`, judged by itself. */
export const newLinks = z.strictObject({
  tenant_id: uuid.optional(),
  links: z.array(z.unknown()).min(1).max(BULK_LINKS),
});

const rowError = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

/** What became of each row, in the rows' order: a link, or the error that it alone had. */
export const createdLinks = z.array(
  z.union([
    createdLink.extend({ index: z.int(), status: z.literal('created') }),
    z.object({ index: z.int(), status: z.literal('refused'), error: rowError }),
  ]),
);

export const link = z.object({
  link_id: uuid,
  smart_link: z.url(),
  tenant_id: uuid,
  campaign_id: uuid,
  offer_id: z.int(),
  slug: z.string(),
  /** The custom domain it is on; null: the platform's own. */
  domain: z.string().nullable(),
  status: z.enum(LINK_STATUSES),
  /** The network no longer lists the offer: the link rests, whatever its status, until the offer is back. */
  offer_gone: z.boolean(),
  expires_at: instant.nullable(),
  fallback_url: z.string().nullable(),
  sub_ids: z.partialRecord(z.enum(SUB_ID_NAMES), z.string()),
  utm: z.partialRecord(z.enum(UTM_NAMES), z.string()),
  countries: z.object({ only: z.array(z.string()), else: z.string().optional() }).nullable(),
  devices: z.partialRecord(z.enum(DEVICES), z.string()),
  /** False while the redirect still answers with an older state; it follows within minutes. */
  published: z.boolean(),
  created_at: instant,
});
export const links = z.array(link);

/** `GET /v1/links`; `q` is a part of the slug, an empty `domain` the platform's own. */
export const linkQuery = z.object({
  tenant_id: uuid.optional(),
  campaign_id: uuid.optional(),
  offer_id: offerId.optional(),
  domain: z.union([z.literal(''), domainName]).optional(),
  status: z.enum(LINK_STATUSES).optional(),
  q: searchText.optional(),
  ...pageQuery,
});

/** `PATCH /v1/links/:link_id`; what is given replaces what was there, null takes it away. */
export const linkChange = z
  .strictObject({
    status: z.enum(LINK_STATUSES),
    expires_at: settings.expires_at.nullable(),
    fallback_url: settings.fallback_url.nullable(),
    sub_ids: settings.sub_ids.nullable(),
    utm: settings.utm.nullable(),
    countries: settings.countries.nullable(),
    devices: settings.devices.nullable(),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'Name at least one field to change' });

export type Link = z.output<typeof link>;
export type NewLink = z.output<typeof newLink>;
export type CreatedLinks = z.output<typeof createdLinks>;
export type Countries = z.output<typeof countries>;
export type Devices = z.output<typeof devices>;
export type Utm = z.output<typeof utm>;

/** `GET /v1/links/:link_id/qr.png`: `size` is the most pixels a side may have. */
export const qrQuery = z.object({
  size: z
    .string()
    .regex(/^\d{2,4}$/)
    .transform(Number)
    .pipe(z.int().min(64).max(2_048))
    .default(512),
});
