import { codes } from '@hissaback/shared/http/problem';
import { z } from 'zod';

/** A part of the description: JSON. */
export type Json = { [name: string]: unknown };

/** A problem (RFC 9457). Some have further members of their own. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().optional(),
  code: z.enum(codes),
  request_id: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

/**
 * A schema as JSON Schema 2020-12.
 *
 * @param io what is sent (`input`) or what is answered (`output`): transforms make the two differ
 */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // A format says it better than the pattern that checks it.
    override: ({ jsonSchema: part }) => {
      if (part.format !== undefined) delete part.pattern;
    },
  });
  return described as Json;
}

/** The schema of a body: what it does not name is refused (see parseInput). */
export function bodySchema(schema: z.ZodType): Json {
  const described = jsonSchema(schema, 'input');
  return described.type === 'object' ? { additionalProperties: false, ...described } : described;
}
