import { type Operation, withFacts } from '@hissaback/shared/http/route-facts';
import type { MiddlewareHandler } from 'hono';
import type { z } from 'zod';

/** What the app's type says of a body that a handler reads itself, for the typed client. */
type Reads<Declared> = Declared extends { body: infer Body extends z.ZodType }
  ? { in: { json: z.input<Body> }; out: { json: z.input<Body> } }
  : Record<never, never>;

/**
 * Declares the route it is the first handler of. Roles, body and query are read off the middleware beside it, so that the description cannot say
 * anything else than what is enforced.
 */
export function operation<const Declared extends Operation>(
  declared: Declared,
  // biome-ignore lint/suspicious/noExplicitAny: it stands on routes of every environment
): MiddlewareHandler<any, string, Reads<Declared>> {
  const pass: MiddlewareHandler = (_c, next) => next();
  return withFacts(pass, { operation: declared });
}
