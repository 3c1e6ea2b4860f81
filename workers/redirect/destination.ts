import type { PublishedLink } from '@hissaback/shared/contracts/published-link';
import { mobileSystemOf } from '@hissaback/shared/domain/device';

export type Destination =
  /** The offer: a click. */
  | { to: 'offer'; trackingUrl: string }
  /** Somewhere else the link's owner chose: no click, no reference. */
  | { to: 'elsewhere'; url: string }
  | { to: 'page'; page: 'paused' | 'expired' | 'not_here' };

export type Visitor = { userAgent: string; country: string | null; bot: boolean };

/**
 * Where a link leads a visitor. State first, then expiry, country and device. An unknown country is let through: the network has the last
 * word. A preview bot's country is that of its data centre and says nothing.
 *
 * @param now milliseconds since the Unix epoch
 */
export function destinationOf(link: PublishedLink, visitor: Visitor, now: number): Destination {
  if (link.s === 'paused') return { to: 'page', page: 'paused' };
  if (link.x !== undefined && now >= link.x) return elsewhere(link.f, 'expired');
  if (link.geo !== undefined && visitor.country !== null && !visitor.bot) {
    if (!link.geo.countries.includes(visitor.country)) return elsewhere(link.geo.else, 'not_here');
  }
  const system = link.dev === undefined ? null : mobileSystemOf(visitor.userAgent);
  return { to: 'offer', trackingUrl: (system === null ? undefined : link.dev?.[system]) ?? link.u };
}

function elsewhere(url: string | undefined, page: 'expired' | 'not_here'): Destination {
  return url === undefined ? { to: 'page', page } : { to: 'elsewhere', url };
}
