import { ProblemError } from './problem.ts';

/** Any value will do: a page of another origin cannot send it without being asked by CORS. */
const CUSTOM_HEADER = 'x-requested-with';

/**
 * Refuses what another site's page could make a browser send along with our cookie. A browser names the origin of every POST: it must be the request's own.
 * Where no origin is named, `Sec-Fetch-Site: same-origin` or an `X-Requested-With` header must stand in for it.
 *
 * @throws ProblemError `forbidden` (403)
 */
export function assertSameOrigin(request: Request): void {
  const { headers } = request;
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  const isOwn = origin === null || origin === new URL(request.url).origin;
  const isNearby = site === null || site === 'same-origin' || site === 'none';
  const isVouched = origin !== null || site === 'same-origin' || headers.has(CUSTOM_HEADER);
  if (isOwn && isNearby && isVouched) return;
  throw new ProblemError('forbidden', {
    detail: 'Send this from a page of the same origin, or with the header X-Requested-With.',
  });
}
