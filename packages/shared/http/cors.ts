import type { MiddlewareHandler } from 'hono';

/** Who a route may be called by from a browser: pages of every origin, without cookies, or those on the list alone. */
export type CorsPolicy = {
  isForAll(method: string, path: string): boolean;
  methodsOf(path: string): readonly string[];
};

type CorsEnv = { Bindings: { CORS_ORIGINS: string } };

const REQUEST_HEADERS = 'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id, X-Requested-With';
const ANSWER_HEADERS =
  'ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id';
/** How long a browser may remember a preflight, in seconds. */
const MAX_AGE = '600';

/**
 * Lets pages of the origins in `CORS_ORIGINS` (comma separated, `https://app.example`) read answers, with cookies, and pages of any origin those of the routes that
 * the policy opens to all, without cookies. Everyone else's page is told nothing, and the browser keeps the answer from it.
 */
export function cors<E extends CorsEnv>(policy: CorsPolicy): MiddlewareHandler<E> {
  return async (c, next) => {
    const origin = c.req.header('origin');
    const asked = c.req.method === 'OPTIONS' ? c.req.header('access-control-request-method') : undefined;
    const isForAll = policy.isForAll(asked ?? c.req.method, c.req.path);
    const granted = origin === undefined ? null : grantOf(origin, isForAll, c.env.CORS_ORIGINS);
    const methods = asked === undefined || origin === undefined ? [] : policy.methodsOf(c.req.path);
    if (methods.length > 0) return preflight(granted, methods);
    await next();
    c.header('vary', 'Origin', { append: true });
    for (const [name, value] of Object.entries(granted ?? {})) c.header(name, value);
    if (granted !== null) c.header('access-control-expose-headers', ANSWER_HEADERS);
  };
}

function preflight(granted: Record<string, string> | null, methods: readonly string[]): Response {
  const headers = new Headers({ ...granted, vary: 'Origin, Access-Control-Request-Method' });
  if (granted !== null) {
    headers.set('access-control-allow-methods', methods.join(', '));
    headers.set('access-control-allow-headers', REQUEST_HEADERS);
    headers.set('access-control-max-age', MAX_AGE);
  }
  return new Response(null, { status: 204, headers });
}

function grantOf(origin: string, isForAll: boolean, list = ''): Record<string, string> | null {
  const isListed = list.split(',').some((listed) => listed.trim() !== '' && listed.trim() === origin);
  if (isListed) return { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' };
  return isForAll ? { 'access-control-allow-origin': '*' } : null;
}
