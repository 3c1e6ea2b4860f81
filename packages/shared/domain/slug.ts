import type { Random } from './chance.ts';

// Without 0, O, 1, l, I: a slug is read aloud and typed.
const ALPHABET = '23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ';
const LENGTH = 7;
/** A byte from here on would favour the alphabet's beginning. */
const FAIR = 256 - (256 % ALPHABET.length);

// The first segments of paths that pages and API have, or may want one day.
const RESERVED = new Set(
  `v1 v2 v3 v4 api admin creator c docs widget widgets assets static public healthz health status metrics login logout signup auth oauth account me
   settings about help support terms privacy legal contact blog home index app www robots sitemap favicon well-known cdn-cgi hissaback`.split(
    /\s+/,
  ),
);

/**
 * A random slug of 7 letters and digits: one of 1.7 million million. Whether it is free only the unique key can say: insert it, and draw again on a
 * conflict.
 */
export function mintSlug(random: Random): string {
  let slug = '';
  while (slug.length < LENGTH) {
    for (const byte of random.bytes(LENGTH)) {
      if (byte < FAIR && slug.length < LENGTH) slug += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return slug;
}

/** True for slugs that would hide a page or an API path, in whatever capitals. */
export function isReservedSlug(slug: string): boolean {
  return RESERVED.has(slug.toLowerCase()) || slug.startsWith('__');
}
