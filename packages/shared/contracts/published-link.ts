import { normalizeHost } from '../domain/host.ts';
import { isUuid } from '../domain/uuid.ts';

/** KV prefix of the smart links on the platform's own hosts. */
export const PLATFORM_PREFIX = '_';

/** The key of a link in KV: `<host>/<slug>`, where the host is `_` on platform hosts (`host` null) and the custom domain elsewhere. */
export function publishedLinkKey(host: string | null, slug: string): string {
  return `${host === null ? PLATFORM_PREFIX : normalizeHost(host)}/${slug}`;
}

/** True for what can be a slug: 1..64 letters, digits, `-` and `_`. */
export function isSlug(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** Parameters of the tracking link that a link's own sub-ids may use; `p1` is the click reference. */
export const SUB_ID_NAMES = ['p2', 'p3', 'p4', 'p5'] as const;
export const UTM_NAMES = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'utm_id'] as const;

export type SubIdName = (typeof SUB_ID_NAMES)[number];
export type UtmName = (typeof UTM_NAMES)[number];

/** Longest URL and longest parameter value in a published link, in characters. */
export const MAX_URL_LENGTH = 2_048;
export const MAX_PARAMETER_LENGTH = 128;

/** Everything a redirect needs, as JSON in KV. Short names: every redirect reads it. */
export type PublishedLink = {
  /** The link's version; a sweep republishes what differs (money rule 23). */
  v: number;
  /** `links.link_id`. */
  id: string;
  /** `tenants.tenant_id`. */
  t: string;
  /** `campaigns.campaign_id`. */
  c?: string;
  /** The network's tracking URL with the tenant's `pub_id`, without `p1`. */
  u: string;
  /** State of the link and its campaign together. */
  s: 'active' | 'paused';
  /** When the link expires, in milliseconds since the Unix epoch. */
  x?: number;
  /** Where an expired link leads; a page says so if absent. Not a click: no reference, not counted. */
  f?: string;
  /** Sub-ids set on the link. */
  sub?: Partial<Record<SubIdName, string>>;
  /** Campaign parameters set on the link. */
  utm?: Partial<Record<UtmName, string>>;
  /** Countries (ISO 3166-1 alpha-2, upper case) the offer pays in; others go to `else`, not counted, or see a page. */
  geo?: { countries: string[]; else?: string };
  /** Tracking URLs for a device's system, used in place of `u` with the same reference. */
  dev?: { ios?: string; android?: string };
};

/** The link in a KV value, or null if it is not one. Never throws; unknown members are ignored. */
export function parsePublishedLink(text: string): PublishedLink | null {
  const value = parseJson(text);
  if (!isRecord(value)) return null;
  const { v, id, t, c, u, s, x, f, sub, utm, geo, dev } = value;
  if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 0) return null;
  if (!isUuid(id) || !isUuid(t) || !isHttpUrl(u) || (s !== 'active' && s !== 'paused')) return null;
  if (c !== undefined && !isUuid(c)) return null;
  if (x !== undefined && (typeof x !== 'number' || !Number.isSafeInteger(x))) return null;
  if (f !== undefined && !isHttpUrl(f)) return null;
  const subIds = parseParameters(sub, SUB_ID_NAMES);
  const campaign = parseParameters(utm, UTM_NAMES);
  const countries = parseGeo(geo);
  const devices = parseDevices(dev);
  if (subIds === null || campaign === null || countries === null || devices === null) return null;
  return {
    v,
    id,
    t,
    u,
    s,
    ...(c !== undefined && { c }),
    ...(x !== undefined && { x }),
    ...(f !== undefined && { f }),
    ...(subIds !== undefined && { sub: subIds }),
    ...(campaign !== undefined && { utm: campaign }),
    ...(countries !== undefined && { geo: countries }),
    ...(devices !== undefined && { dev: devices }),
  };
}

/** True for an absolute http(s) URL in ASCII, without credentials, of at most 2,048 characters once normalised. */
export function isHttpUrl(value: unknown): value is string {
  if (typeof value !== 'string' || !/^https?:\/\/[!-[\]-~]+$/i.test(value)) return false;
  const url = URL.parse(value);
  return url !== null && url.username === '' && url.password === '' && url.href.length <= MAX_URL_LENGTH;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// The three below: undefined means absent, null means malformed.
function parseParameters<Name extends string>(
  value: unknown,
  names: readonly Name[],
): Partial<Record<Name, string>> | null | undefined {
  if (value === undefined) return undefined;
  if (!isRecord(value)) return null;
  const parameters: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const parameter = Object.hasOwn(value, name) ? value[name] : undefined;
    if (parameter === undefined) continue;
    if (typeof parameter !== 'string' || parameter.length > MAX_PARAMETER_LENGTH) return null;
    parameters[name] = parameter;
  }
  return parameters;
}

function parseGeo(value: unknown): PublishedLink['geo'] | null {
  if (value === undefined) return undefined;
  if (!isRecord(value) || !Array.isArray(value.countries) || value.countries.length > 300) return null;
  const countries: string[] = [];
  for (const country of value.countries) {
    if (typeof country !== 'string' || !/^[A-Z]{2}$/.test(country)) return null;
    countries.push(country);
  }
  if (value.else === undefined) return { countries };
  return isHttpUrl(value.else) ? { countries, else: value.else } : null;
}

function parseDevices(value: unknown): PublishedLink['dev'] | null {
  if (value === undefined) return undefined;
  if (!isRecord(value)) return null;
  const { ios, android } = value;
  if ((ios !== undefined && !isHttpUrl(ios)) || (android !== undefined && !isHttpUrl(android))) return null;
  return { ...(ios !== undefined && { ios }), ...(android !== undefined && { android }) };
}
