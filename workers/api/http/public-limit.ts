import { clientAddress, isLoopback, limitKey } from '@hissaback/shared/http/client-address';
import { LocalCount, type RateLimitState, rateLimited, rateLimitHeaders } from '@hissaback/shared/http/rate-limit';
import type { Route } from '@hissaback/shared/http/routes';
import type { MiddlewareHandler } from 'hono';
import type { ApiContext } from '../context.ts';

const POLICY = 'public';
const PER_MINUTE = 100;
const WINDOW_SECONDS = 60;

/**
 * The spec's section 4: requests per minute and address (IPv6: per /64) to what needs no token. The binding counts all of a place's requests but tells no
 * numbers; those of the headers are what this isolate has seen.
 *
 * @param routeOf what a request reaches; nothing is public as well
 * @throws ProblemError `rate_limited` (429)
 */
export function publicLimit(routeOf: (method: string, path: string) => Route | null): MiddlewareHandler<ApiContext> {
  const count = new LocalCount();
  return async (c, next) => {
    const address = clientAddress(c.req.raw.headers);
    const isPublic = routeOf(c.req.method, c.req.path)?.facts.roles === undefined;
    if (!isPublic || isLoopback(address)) return next();
    const limit = perMinute(c.env.PUBLIC_PER_MINUTE);
    const key = limitKey(address);
    const here = count.take(key, { limit, windowMs: WINDOW_SECONDS * 1000 }, c.var.clock.now());
    const state: RateLimitState = {
      policy: POLICY,
      limit,
      window: WINDOW_SECONDS,
      remaining: here.remaining,
      reset: here.resetMs / 1000,
    };
    if (!here.allowed || !(await c.env.PUBLIC_LIMIT.limit({ key })).success) throw rateLimited(state);
    await next();
    if (c.res.headers.has('ratelimit')) return; // a narrower limit has spoken
    for (const [name, value] of Object.entries(rateLimitHeaders(state))) c.header(name, value);
  };
}

function perMinute(text: string | undefined): number {
  const value = Number(text ?? '');
  return Number.isSafeInteger(value) && value > 0 ? value : PER_MINUTE;
}
