import { isCountry, isSubId } from '@hissaback/shared/contracts/click-message';

const PURPOSES = ['Sec-Purpose', 'Purpose', 'X-Purpose', 'X-Moz'];

/** True if the browser asks ahead of a click: nobody may ever follow. */
export function isPrefetch(headers: Headers): boolean {
  for (const name of PURPOSES) {
    const purpose = headers.get(name);
    if (purpose !== null && /prefetch|prerender|preview/i.test(purpose)) return true;
  }
  return false;
}

/** True under Global Privacy Control: no cookie, no visitor. */
export function optsOut(headers: Headers): boolean {
  return headers.get('Sec-GPC')?.trim() === '1';
}

/** The visitor's country, or null if Cloudflare does not know one. */
export function countryOf(headers: Headers): string | null {
  const country = headers.get('CF-IPCountry')?.toUpperCase();
  return isCountry(country) ? country : null;
}

/** Host of the page that links here, or null. The path is dropped: it may be private. */
export function referrerHostOf(headers: Headers): string | null {
  const referrer = headers.get('Referer');
  const url = referrer === null ? null : URL.parse(referrer);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  return url.hostname.length <= 253 ? url.hostname : null;
}

/** The creator's own label for this placement (`?sub=` or `?sub_id=`), or null. */
export function subIdOf(parameters: URLSearchParams): string | null {
  const label = parameters.get('sub') ?? parameters.get('sub_id');
  return isSubId(label) ? label : null;
}
