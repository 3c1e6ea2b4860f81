import { type Operation, withFacts } from '@hissaback/shared/http/route-facts';
import type { MiddlewareHandler } from 'hono';

/**
 * Declares the route it is the first handler of. Roles, body and query are read off the middleware beside it, so that the description cannot say
 * anything else than what is enforced.
 */
export function operation(declared: Operation): MiddlewareHandler {
  const pass: MiddlewareHandler = (_c, next) => next();
  return withFacts(pass, { operation: declared });
}
