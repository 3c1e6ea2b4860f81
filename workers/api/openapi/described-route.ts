import { type Scope, scopeOf } from '@hissaback/shared/domain/api-key';
import { PROBLEMS, type ProblemCode } from '@hissaback/shared/http/problem';
import { isSchema, type Operation } from '@hissaback/shared/http/route-facts';
import { type Route, takesIdempotencyKey } from '@hissaback/shared/http/routes';
import type { Role } from '@hissaback/shared/http/token-claims';
import type { z } from 'zod';
import { conversionWebhook } from './conversion-webhook.ts';

/** Everything that is said of a route: what its middleware enforces, what it declares, and what follows from both. */
export type DescribedRoute = {
  method: string;
  path: string;
  operation: Operation;
  /** Who may use it: roles of a Bearer token, everyone, whoever holds the refresh cookie, or the network with its own token. */
  access: { kind: 'roles'; roles: readonly Role[] } | { kind: 'public' } | { kind: 'cookie' } | { kind: 'network' };
  /** What an API key needs; null where none is taken. */
  scope: Scope | null;
  body: z.ZodType | { type: string } | null;
  query: z.ZodType | null;
  params: readonly { name: string; schema: z.ZodType | null }[];
  takesIdempotencyKey: boolean;
  /** Every problem it may answer with, by status. */
  errors: readonly ProblemCode[];
};

/** True for the paths of the API, which all must be described; the others are pages. */
export function isApiPath(path: string): boolean {
  return path.startsWith('/v1/') || path.startsWith('/.well-known/');
}

/** The declared routes of the api worker and the webhook worker's one, by path. */
export function describedRoutes(routes: readonly Route[]): DescribedRoute[] {
  const declared = routes.flatMap((route) => {
    const { operation } = route.facts;
    return operation === undefined || !isApiPath(route.path) ? [] : [describe(route, operation)];
  });
  const webhook = conversionWebhook.map(
    ({ method, path, operation }): DescribedRoute => ({
      ...describe({ method, path, facts: {} }, operation),
      access: { kind: 'network' },
      errors: sorted([...(operation.errors ?? []), 'internal']),
    }),
  );
  return [...declared, ...webhook].sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method));
}

function describe({ method, path, facts }: Route, operation: Operation): DescribedRoute {
  const roles = facts.roles;
  const body = facts.body ?? operation.body ?? null;
  const query = facts.query ?? operation.query ?? null;
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const isOnce = takesIdempotencyKey({ method, path, facts });
  return {
    method,
    path,
    operation,
    access: roles !== undefined ? { kind: 'roles', roles } : { kind: operation.cookie === true ? 'cookie' : 'public' },
    scope: roles?.includes('creator') ? (facts.scope === undefined ? scopeOf(method, path) : facts.scope) : null,
    body,
    query,
    params: names.map((name) => ({ name, schema: operation.params?.[name] ?? null })),
    takesIdempotencyKey: isOnce,
    errors: sorted([
      ...(operation.errors ?? []),
      ...(roles === undefined
        ? (['rate_limited'] as const)
        : (['unauthenticated', 'forbidden', 'unavailable'] as const)),
      ...(names.length > 0 ? (['not_found'] as const) : []),
      ...(query !== null ? (['invalid_field'] as const) : []),
      ...bodyErrors(body),
      ...(isOnce ? (['invalid_field', 'idempotency_in_progress', 'idempotency_mismatch'] as const) : []),
      'internal',
    ]),
  };
}

function bodyErrors(body: DescribedRoute['body']): ProblemCode[] {
  if (body === null) return [];
  const always: ProblemCode[] = ['body_too_large', 'unsupported_media_type', 'invalid_field'];
  return isSchema(body) ? ['malformed_json', ...always] : always;
}

function sorted(codes: readonly ProblemCode[]): ProblemCode[] {
  return [...new Set(codes)].sort((a, b) => PROBLEMS[a].status - PROBLEMS[b].status || compare(a, b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
