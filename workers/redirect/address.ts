import { isSlug } from '@hissaback/shared/contracts/published-link';
import { normalizeHost } from '@hissaback/shared/domain/host';

/** What a smart link's address says. */
export type Address = {
  /** Normalised: lower case, without port and trailing dot. */
  readonly host: string;
  readonly slug: string;
  /** The query string without `?`; empty if there is none. */
  readonly query: string;
  /** True on https. */
  readonly secure: boolean;
};

/** The longest name that DNS has, in characters; KV would refuse the key of a much longer one. */
const LONGEST_HOST = 253;

/** An address as browsers write it, which parsing by the URL standard would leave as it is. */
const PLAIN = /^https?:\/\/([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::\d+)?\/([A-Za-z0-9_-]{1,64})(?:\?([^#]*))?$/;

/** Reads a request's URL; null if it cannot be a smart link's. Only what is not written plainly costs the parsing of a URL. */
export function readAddress(url: string): Address | null {
  const plain = PLAIN.exec(url);
  const secure = url.startsWith('https:');
  if (plain !== null) {
    const [, host = '', slug = '', query = ''] = plain;
    return host.length > LONGEST_HOST ? null : { host, slug, query, secure };
  }
  const { pathname, hostname, search } = new URL(url);
  const host = normalizeHost(hostname);
  const slug = pathname.slice(1);
  return isSlug(slug) && host.length <= LONGEST_HOST ? { host, slug, query: search.slice(1), secure } : null;
}
