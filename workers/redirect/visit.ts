import { isCountry, isSubId } from '@hissaback/shared/contracts/click-message';

/** True if the browser asks ahead of a click: nobody may ever follow. */
export function isPrefetch(request: Request): boolean {
  return ['Sec-Purpose', 'Purpose', 'X-Purpose', 'X-Moz'].some((name) =>
    /prefetch|prerender|preview/i.test(request.headers.get(name) ?? ''),
  );
}

/** True under Global Privacy Control: no cookie, no visitor. */
export function optsOut(request: Request): boolean {
  return request.headers.get('Sec-GPC')?.trim() === '1';
}

/** The visitor's country, or null if Cloudflare does not know one. */
export function countryOf(request: Request): string | null {
  const country = request.headers.get('CF-IPCountry')?.toUpperCase();
  return isCountry(country) ? country : null;
}

/** Host of the page that links here, or null. The path is dropped: it may be private. */
export function referrerHostOf(request: Request): string | null {
  const referrer = request.headers.get('Referer');
  const url = referrer === null ? null : URL.parse(referrer);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  return url.hostname.length <= 253 ? url.hostname : null;
}

/** The creator's own label for this placement (`?sub=` or `?sub_id=`), or null. */
export function subIdOf(parameters: URLSearchParams): string | null {
  const label = parameters.get('sub') ?? parameters.get('sub_id');
  return isSubId(label) ? label : null;
}
