import { expect, test } from 'vitest';
import { z } from 'zod';
import { jsonSchema } from '../openapi/schemas.ts';
import { schemaText } from './schema-text.ts';

const text = (schema: z.ZodType) => schemaText(jsonSchema(schema, 'input'));

test('a schema reads like the value it describes', () => {
  const schema = z.strictObject({
    id: z.guid(),
    name: z.string().min(1).max(120),
    state: z.enum(['on', 'off']).optional(),
    count: z.int().min(1).max(9),
    any: z.int(),
    at: z.iso.datetime().nullable(),
    tags: z.array(z.string()),
    by: z.partialRecord(z.enum(['p2', 'p3']), z.string()).describe('labels'),
  });
  expect(text(schema)).toBe(
    [
      '{',
      '  id: string (uuid)',
      '  name: string (1 to 120 characters)',
      '  state?: "on" | "off"',
      '  count: integer (1 to 9)',
      '  any: integer',
      '  at: string (date-time) | null',
      '  tags: [string]',
      '  by: {',
      '    [p2 | p3]: string',
      '  }  // labels',
      '}',
    ].join('\n'),
  );
});

test('lists of objects and what is free keep their form', () => {
  expect(text(z.array(z.object({ a: z.unknown() })))).toBe('[{\n  a: any\n}]');
  expect(text(z.object({}))).toBe('{}');
});
