import { isCountry } from '@hissaback/shared/contracts/click-message';

/** The country of a request, or null if Cloudflare does not know one. */
export function countryOf(headers: Headers): string | null {
  const country = headers.get('cf-ipcountry')?.toUpperCase();
  return isCountry(country) ? country : null;
}

/** Host of the page that made a request, or null. Its path is dropped: it may be private. */
export function referrerHostOf(headers: Headers): string | null {
  const referrer = headers.get('referer');
  const url = referrer === null ? null : URL.parse(referrer);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  return url.hostname.length <= 253 ? url.hostname : null;
}
