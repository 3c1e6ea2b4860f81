import { isUuid } from '../domain/uuid.ts';

export const CLICK_DEVICES = ['mobile', 'tablet', 'desktop', 'bot', 'other'] as const;
export const CLICK_SOURCES = ['edge', 'api', 'widget'] as const;

export type ClickDevice = (typeof CLICK_DEVICES)[number];
export type ClickSource = (typeof CLICK_SOURCES)[number];

/** A click on its way to the table `clicks`, as JSON in the queue. It holds no address and no user agent. */
export type ClickMessage = {
  /** BIGINT in decimal digits; the click's time is in it. */
  click_id: string;
  link_id: string;
  tenant_id: string;
  visitor_id: string | null;
  /** ISO 3166-1 alpha-2, upper case. */
  country: string | null;
  device: ClickDevice;
  /** Host of the page the shopper came from, at most 253 characters. */
  referrer_host: string | null;
  /** The creator's own label, at most 64 printable characters. */
  sub_id: string | null;
  source: ClickSource;
};

/** The click in a queue message, or null if it is not one. Never throws; unknown members are ignored. */
export function parseClickMessage(body: unknown): ClickMessage | null {
  if (typeof body !== 'object' || body === null) return null;
  const value = body as Readonly<Record<string, unknown>>;
  const { click_id, link_id, tenant_id } = value;
  const visitor_id = value.visitor_id ?? null;
  const country = value.country ?? null;
  const referrer_host = value.referrer_host ?? null;
  const sub_id = value.sub_id ?? null;
  const device = CLICK_DEVICES.find((known) => known === value.device);
  const source = CLICK_SOURCES.find((known) => known === value.source);
  if (!isClickId(click_id) || !isUuid(link_id) || !isUuid(tenant_id)) return null;
  if (device === undefined || source === undefined) return null;
  if (visitor_id !== null && !isUuid(visitor_id)) return null;
  if (country !== null && !isCountry(country)) return null;
  if (referrer_host !== null && !isShort(referrer_host, 253)) return null;
  if (sub_id !== null && !isSubId(sub_id)) return null;
  return { click_id, link_id, tenant_id, visitor_id, country, device, referrer_host, sub_id, source };
}

/** True for a label of a creator's own: 1..64 printable characters. */
export function isSubId(value: unknown): value is string {
  return isShort(value, 64) && !/[\p{C}\p{Zl}\p{Zp}]/u.test(value);
}

/** True for a country code: two capital letters that name a country (`XX` and `T1` are Cloudflare's for unknown and Tor). */
export function isCountry(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z]{2}$/.test(value) && value !== 'XX';
}

function isClickId(value: unknown): value is string {
  return typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value) && BigInt(value) < 2n ** 63n;
}

function isShort(value: unknown, limit: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= limit;
}
