import { type PublishedLink, publishedLinkKey } from '@hissaback/shared/contracts/published-link';
import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { clickIdTime, mintClickId } from '@hissaback/shared/domain/click-id';
import { encodeClickReference, verifyClickReference } from '@hissaback/shared/domain/click-reference';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { targetUrl } from '@hissaback/shared/domain/smart-link';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { encodeVisitor, visitorFromCookies, visitorSetCookie } from '@hissaback/shared/domain/visitor';
import { readAddress } from './address.ts';
import { page, redirect } from './answers.ts';
import type { ClickBuffer } from './click-buffer.ts';
import { destinationOf } from './destination.ts';
import type { DeviceCache } from './device-cache.ts';
import type { LinkCache } from './link-cache.ts';
import { isPlatformHost } from './platform-hosts.ts';
import { countryOf, isPrefetch, optsOut, referrerHostOf, subIdOf } from './visit.ts';

/** How long KV may answer from its own cache, in seconds. */
const KV_CACHE_SECONDS = 60;
/** How old a click given by `hb_ref` may be: a widget's page may stay open for a while, a shared address must not credit its first visitor. */
const MAX_GIVEN_AGE_MS = 24 * 3_600_000;

export type Services = { clock: Clock; random: Random; links: LinkCache; devices: DeviceCache; clicks: ClickBuffer };

/** Answers `GET /<slug>`: 302 to the offer with a fresh click reference, or a page that says why not. */
export async function followLink(
  services: Services,
  request: Request,
  env: RedirectEnv,
  context: { waitUntil(work: Promise<unknown>): void },
): Promise<Response> {
  const { headers, method } = request;
  const address = readAddress(request.url);
  if (address === null) return page(request, 'unknown', services.random);
  const { host, slug, query, secure } = address;
  const key = publishedLinkKey(isPlatformHost(env.PLATFORM_HOSTS, host) ? null : host, slug);
  const lookup =
    services.links.fresh(key) ??
    (await services.links.find(key, () => env.LINKS.get(key, { cacheTtl: KV_CACHE_SECONDS })));
  if (lookup.state !== 'found') return page(request, lookup.state, services.random);

  const { link, target } = lookup.cached;
  const now = services.clock.now();
  const userAgent = headers.get('User-Agent') ?? '';
  const device = services.devices.of(userAgent);
  const bot = device === 'bot';
  const country = countryOf(headers);
  const destination = destinationOf(link, { userAgent, country, bot }, now);
  if (destination.to === 'page') return page(request, destination.page, services.random);
  if (destination.to === 'elsewhere') return redirect(secure, destination.url);

  const offer = target(destination.trackingUrl);
  const parameters = query === '' ? null : new URLSearchParams(query);
  const given = parameters === null ? null : await givenReference(env, parameters, link, now);
  if (given !== null) return redirect(secure, targetUrl(offer, given, query));

  const counts = method === 'GET' && !bot;
  const visitor = await visitorOf(services, env, { headers, host, secure, getsCookie: counts }, now);
  const clickId = mintClickId(services.clock, services.random);
  const ring = keyringFrom(env.REFERENCE_KEYS, 'REFERENCE_KEYS');
  const reference = await encodeClickReference(ring, { clickId, linkId: link.id, visitorId: visitor.id });
  if (counts && !isPrefetch(headers)) {
    const click = {
      click_id: clickId.toString(),
      link_id: link.id,
      tenant_id: link.t,
      visitor_id: visitor.id,
      country,
      device,
      referrer_host: referrerHostOf(headers),
      sub_id: parameters === null ? null : subIdOf(parameters),
      source: 'edge' as const,
    };
    services.clicks.add(click, env.CLICKS, context);
  }
  return redirect(secure, targetUrl(offer, reference, query), visitor.newCookie);
}

/** The reference of a click that a widget has already counted, if it is authentic, recent and of this very link. */
async function givenReference(
  env: RedirectEnv,
  parameters: URLSearchParams,
  link: PublishedLink,
  now: number,
): Promise<string | null> {
  const given = parameters.get('hb_ref');
  if (given === null) return null;
  const verified = await verifyClickReference(keyringFrom(env.REFERENCE_KEYS, 'REFERENCE_KEYS'), given, now);
  if (!verified.ok || verified.linkId !== link.id) return null;
  return now - clickIdTime(verified.clickId) <= MAX_GIVEN_AGE_MS ? given : null;
}

type Came = { headers: Headers; host: string; secure: boolean; getsCookie: boolean };

/** The visitor behind a request, and the cookie to set if there is a new one or the old one's key was rotated. */
async function visitorOf(
  services: Services,
  env: RedirectEnv,
  { headers, host, secure, getsCookie }: Came,
  now: number,
): Promise<{ id: string | null; newCookie?: string }> {
  if (optsOut(headers)) return { id: null };
  const ring = keyringFrom(env.VISITOR_KEYS, 'VISITOR_KEYS');
  const cookies = headers.get('Cookie');
  const known = cookies === null ? null : await visitorFromCookies(ring, cookies, host, now);
  if (!getsCookie || known?.keyIsCurrent) return { id: known?.visitorId ?? null };
  const id = known?.visitorId ?? mintUuid(services.random);
  return { id, newCookie: visitorSetCookie(await encodeVisitor(ring, id, host), secure) };
}
