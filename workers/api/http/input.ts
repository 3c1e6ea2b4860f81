import { isUuid } from '@hissaback/shared/domain/uuid';
import { type BodyOptions, readJson } from '@hissaback/shared/http/body';
import { ProblemError } from '@hissaback/shared/http/problem';
import { withFacts } from '@hissaback/shared/http/route-facts';
import { parseInput, parseQuery } from '@hissaback/shared/http/validate';
import type { MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import type { ApiContext } from '../context.ts';

/** What a caller sent, not yet validated: whose things it names must be settled first (authentication, then ownership, then validation). */
export type Input<Value> = {
  /** The id in a field, in small letters, as far as it is one; for ownership only. */
  id(field: string): string | undefined;
  /** The whole input as its schema describes it. Throws ProblemError `invalid_field` (422), and for a body that cannot be read 400, 413 or 415. */
  check(): Value;
};

type Reads<Target extends 'json' | 'query', Schema extends z.ZodType> = MiddlewareHandler<
  ApiContext,
  string,
  { in: { [target in Target]: z.input<Schema> }; out: { [target in Target]: Input<z.output<Schema>> } }
>;

/** Reads a JSON body for `c.req.valid('json')`. What is no JSON at all (400, 413, 415) is refused by `check()` too: whose thing the path names comes first. */
export function jsonInput<Schema extends z.ZodObject>(
  schema: Schema,
  options: BodyOptions = {},
): Reads<'json', Schema> {
  const read: Reads<'json', Schema> = async (c, next) => {
    const { body, refusal } = await bodyOf(c.req.raw, options);
    c.req.addValidatedData('json', {
      id: (field: string) => idOf(isRecord(body) && Object.hasOwn(body, field) ? body[field] : undefined),
      check() {
        if (refusal !== null) throw refusal;
        return parseInput(schema, body);
      },
    });
    await next();
  };
  return withFacts(read, { body: schema });
}

/** Reads the query for `c.req.valid('query')`. */
export function queryInput<Schema extends z.ZodObject>(schema: Schema): Reads<'query', Schema> {
  const read: Reads<'query', Schema> = async (c, next) => {
    c.req.addValidatedData('query', {
      id: (field: string) => idOf(c.req.query(field)),
      check: () => parseQuery(schema, c.req.url),
    });
    await next();
  };
  return withFacts(read, { query: schema });
}

async function bodyOf(
  request: Request,
  options: BodyOptions,
): Promise<{ body: unknown; refusal: ProblemError | null }> {
  try {
    return { body: await readJson(request, options), refusal: null };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { body: undefined, refusal: error };
  }
}

function idOf(value: unknown): string | undefined {
  const id = typeof value === 'string' ? value.toLowerCase() : undefined;
  return isUuid(id) ? id : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
