import { canonicalParameter } from '../domain/smart-link.ts';
import { PLATFORM_PREFIX, type PublishedLink, parsePublishedLink, publishedLinkKey } from './published-link.ts';

/** A row of the database function links_to_publish(): a link with everything that decides what a redirect does. */
export type LinkToPublish = {
  link_id: string;
  tenant_id: string;
  /** `_` on the platform's own hosts, else the tenant's custom domain. */
  host: string;
  slug: string;
  version: bigint;
  link_status: string;
  campaign_status: string;
  tenant_status: string;
  offer_status: string;
  expires_at: Date | null;
  fallback_url: string | null;
  sub_ids: Readonly<Record<string, unknown>>;
  utm: Readonly<Record<string, unknown>>;
  /** `geo` and `dev` as in PublishedLink. */
  targets: Readonly<Record<string, unknown>>;
  tracking_link: string;
  trackier_pid: string | null;
};

/** The key in KV under which a redirect looks the link up. */
export function keyOf(row: Pick<LinkToPublish, 'host' | 'slug'>): string {
  return publishedLinkKey(row.host === PLATFORM_PREFIX ? null : row.host, row.slug);
}

/**
 * What KV holds for a link, or null if nothing usable can be made of the row (a tracking link that is no URL): then no copy may stand.
 * It follows links only while the link, its campaign, its tenant and its offer are all active. The tracking link carries the tenant's publisher id
 * in place of any other, and no click reference of somebody else's.
 */
export function toPublishedLink(row: LinkToPublish): PublishedLink | null {
  const url = trackingUrl(row.tracking_link, row.trackier_pid);
  if (url === null) return null;
  const states = [row.link_status, row.campaign_status, row.tenant_status, row.offer_status];
  const candidate = {
    v: Number(row.version),
    id: row.link_id,
    t: row.tenant_id,
    u: url,
    s: states.every((state) => state === 'active') ? 'active' : 'paused',
    ...(row.expires_at !== null && { x: row.expires_at.getTime() }),
    ...(row.fallback_url !== null && { f: row.fallback_url }),
    ...(Object.keys(row.sub_ids).length > 0 && { sub: row.sub_ids }),
    ...(Object.keys(row.utm).length > 0 && { utm: row.utm }),
    ...(row.targets.geo !== undefined && { geo: row.targets.geo }),
    ...(row.targets.dev !== undefined && { dev: devicesOf(row.targets.dev, row.trackier_pid) }),
  };
  // The reader's own parser has the last word, so that nothing is published which a redirect would not understand.
  return parsePublishedLink(JSON.stringify(candidate));
}

const PUBLISHER = 'pub_id';
const REFERENCE = 'p1';

/** The tracking link without `p1` and, if the tenant has a publisher id, with that one alone. A tenant without one keeps the network account's own. */
function trackingUrl(link: string, publisherId: string | null): string | null {
  const url = URL.parse(link);
  if (url === null) return null;
  const replaced = publisherId === null ? [REFERENCE] : [REFERENCE, PUBLISHER];
  const parts = url.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && !replaced.includes(nameOf(part)));
  if (publisherId !== null) parts.push(new URLSearchParams([[PUBLISHER, publisherId]]).toString());
  return `${url.origin}${url.pathname}${parts.length > 0 ? `?${parts.join('&')}` : ''}`;
}

function nameOf(part: string): string {
  const [name = ''] = new URLSearchParams(part).keys();
  return canonicalParameter(name);
}

function devicesOf(devices: unknown, publisherId: string | null): unknown {
  if (typeof devices !== 'object' || devices === null) return devices;
  return Object.fromEntries(
    Object.entries(devices).map(([system, link]) => [
      system,
      typeof link === 'string' ? trackingUrl(link, publisherId) : link,
    ]),
  );
}

/** The address a creator shares. `origin` is the platform's; a custom domain is always https. */
export function smartLink(origin: string, row: Pick<LinkToPublish, 'host' | 'slug'>): string {
  return `${row.host === PLATFORM_PREFIX ? origin.replace(/\/$/, '') : `https://${row.host}`}/${row.slug}`;
}
