import { cors } from '@hissaback/shared/http/cors';
import { etags } from '@hissaback/shared/http/etag';
import { idempotency } from '@hissaback/shared/http/idempotency';
import { routeAt, takesIdempotencyKey } from '@hissaback/shared/http/routes';
import type { Hono, MiddlewareHandler } from 'hono';
import type { ApiContext } from '../context.ts';
import { publicLimit } from './public-limit.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** What holds on every route alike and asks no database: who may call from a browser, how often, and what need not be sent again. */
export function conventions(app: Hono<ApiContext>): MiddlewareHandler<ApiContext>[] {
  const routeOf = (method: string, path: string) => routeAt(app, method, path);
  return [
    cors({
      // A widget stands in anybody's page and has no cookie.
      isForAll: (method, path) => routeOf(method, path)?.facts.roles?.includes('widget') === true,
      methodsOf: (path) => METHODS.filter((method) => routeOf(method, path) !== null),
    }),
    publicLimit(routeOf),
    etags(),
  ];
}

/** Carries a request with an `Idempotency-Key` out once, on the routes that take one. It stands behind the request's database. */
export function onceOnly(app: Hono<ApiContext>): ReturnType<typeof idempotency> {
  return idempotency({
    isTaken(method, path) {
      const route = routeAt(app, method, path);
      return route !== null && takesIdempotencyKey(route);
    },
  });
}
