import type { Hono } from 'hono';
import { factsOf, type RouteFacts } from './route-facts.ts';

export type Route = {
  method: string /** As it was registered, parameters as `:name`. */;
  path: string;
  facts: RouteFacts;
};

type Registered = { method: string; path: string; handler: object };

/** Every route of an app, in the order of registration; middleware on all methods is none. */
export function routesOf(app: { routes: readonly Registered[] }): Route[] {
  const grouped = new Map<string, Registered[]>();
  for (const route of app.routes) {
    if (route.method === 'ALL') continue;
    const name = `${route.method} ${route.path}`;
    grouped.set(name, [...(grouped.get(name) ?? []), route]);
  }
  return [...grouped.values()].flatMap((handlers) => {
    const [first] = handlers;
    if (first === undefined) return [];
    return [{ method: first.method, path: first.path, facts: factsOf(handlers.map(({ handler }) => handler)) }];
  });
}

/** The route that a request of this method and path reaches, or null. HEAD reaches what GET does. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the app's environment is, its router is asked for paths only
export function routeAt(app: Hono<any>, method: string, path: string): Route | null {
  const asked = method === 'HEAD' ? 'GET' : method;
  const [matches] = app.router.match(asked, path);
  const handlers = matches.map(([[, route]]) => route).filter((route) => route.method === asked);
  const [first] = handlers;
  if (first === undefined) return null;
  const own = handlers.filter((route) => route.path === first.path); // a pattern that fits as well comes after it
  return { method: asked, path: first.path, facts: factsOf(own.map(({ handler }) => handler)) };
}

/**
 * True for the routes that carry a request with an `Idempotency-Key` out once: every POST behind a token of a person or a widget, but those that log in and
 * out, and those whose answer must not be kept.
 */
export function takesIdempotencyKey({ method, path, facts }: Route): boolean {
  if (method !== 'POST' || path.startsWith('/v1/auth/') || facts.operation?.keepsNothing === true) return false;
  return facts.roles?.some((role) => role !== 'cron') === true;
}
