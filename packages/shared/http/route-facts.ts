import { z } from 'zod';
import type { Scope } from '../domain/api-key.ts';
import type { ProblemCode } from './problem.ts';
import type { Role } from './token-claims.ts';

/** What a successful answer holds. */
export type Answers = z.ZodType | { /** Media type of what is not JSON. */ type: string } | { description: string };

/** What a route says of itself, beside its handler; everything else is read off the middleware that enforces it. */
export type Operation = {
  /** Its name in the description and in generated clients, in camel case. */
  id: string;
  /** What it does, as a short imperative. */
  summary: string;
  description?: string;
  /** The answer with status 200; or every successful answer by its status. */
  answer: Answers | { [status: number]: Answers };
  /** Problems beyond those that its middleware and its form bring along. */
  errors?: readonly ProblemCode[];
  /** The limit on it besides the one on all public routes, in words. */
  limit?: string;
  /** The body of a handler that reads it itself: a schema of JSON, or a media type. */
  body?: z.ZodType | { type: string };
  /** The query of a handler that reads it itself. */
  query?: z.ZodType;
  /** A path parameter that is no UUID. */
  params?: Readonly<Record<string, z.ZodType>>;
  /** Authentication other than a Bearer token: the refresh cookie. */
  cookie?: boolean;
  /** Its answer holds what nobody may keep, not even encrypted for a day: it takes no Idempotency-Key. */
  keepsNothing?: boolean;
};

/** What the middleware of a route enforces and its declaration says. */
export type RouteFacts = {
  roles?: readonly Role[];
  /** The scope that an API key needs, where it is not the one of the path; null: it takes none. */
  scope?: Scope | null;
  body?: z.ZodType;
  query?: z.ZodType;
  operation?: Operation;
};

const known = new WeakMap<object, RouteFacts>();

/** Notes what a middleware enforces, so that it can be read off the routes it stands on. Answers the middleware. */
export function withFacts<Handler extends object>(handler: Handler, facts: RouteFacts): Handler {
  known.set(handler, facts);
  return handler;
}

/** What a route's handlers enforce and say, taken together. */
export function factsOf(handlers: readonly object[]): RouteFacts {
  return Object.assign({}, ...handlers.map((handler) => known.get(handler)));
}

/** True for a schema, false for what is told of in words or by its media type. */
export function isSchema(value: unknown): value is z.ZodType {
  return value instanceof z.ZodType;
}

/** The successful answers of an operation, by status. */
export function answersOf({ answer }: Operation): [status: number, holds: Answers][] {
  if (isSchema(answer) || 'type' in answer || 'description' in answer) return [[200, answer as Answers]];
  return Object.entries(answer).map(([status, holds]) => [Number(status), holds]);
}
