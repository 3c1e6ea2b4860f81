import { z } from 'zod';
import { type BodyOptions, readJson } from './body.ts';
import { type FieldError, ProblemError } from './problem.ts';
import { wordsFor } from './validate-words.ts';

const MAX_ERRORS = 20;
const MAX_FIELD_LENGTH = 100;

/**
 * The input as the schema describes it. A field the schema does not know is an error; in nested objects write `z.strictObject`.
 *
 * @throws ProblemError `invalid_field` (422) with one entry per field that is wrong
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  return parse(strict(schema), value);
}

/**
 * A request's JSON body as `parseInput` takes it.
 *
 * @throws ProblemError as `readJson` and `parseInput`
 */
export async function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  request: Request,
  options: BodyOptions = {},
): Promise<z.output<Schema>> {
  return parseInput(schema, await readJson(request, options));
}

/**
 * A request's query as the schema describes it. Unknown parameters are left out; one given twice is an error.
 *
 * @throws ProblemError `invalid_field` (422)
 */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, url: string): z.output<Schema> {
  const parameters = new URL(url).searchParams;
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of parameters) {
    if (name in values) {
      throw new ProblemError('invalid_field', {
        detail: 'A parameter is given twice.',
        errors: [{ field: shorten(name), message: 'May be given once only' }],
      });
    }
    values[name] = value;
  }
  return parse(schema, { ...values });
}

/** Something to see, and none of: control characters, line breaks, direction marks. The joiners stay: Indian scripts and emoji are written with them. */
const READABLE = /^(?=.*[\p{L}\p{N}\p{P}\p{S}])(?:[^\p{C}\p{Zl}\p{Zp}]|[\u200c\u200d])*$/u;

/** A name people read: trimmed, 1..`max` characters, without control characters or invisible formatting. */
export function nameText(max: number): z.ZodString {
  return z.string().trim().min(1).max(max).regex(READABLE, { message: 'May not contain control characters' });
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const field = unstorable(value, []);
  if (field !== null) {
    const message = 'May not contain the character NUL or half a character';
    throw new ProblemError('invalid_field', {
      detail: 'Some fields are not valid.',
      errors: [{ field: shorten(field), message }],
    });
  }
  const result = schema.safeParse(value, { error: wordsFor });
  if (result.success) return result.data;
  throw new ProblemError('invalid_field', {
    detail: 'Some fields are not valid.',
    errors: firstOfEach(result.error.issues.flatMap(fieldErrors)).slice(0, MAX_ERRORS),
  });
}

/** Where a text is that PostgreSQL cannot keep or compare; null if there is none. */
function unstorable(value: unknown, path: readonly string[]): string | null {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? path.join('.') : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    const found = name.includes('\0') || !name.isWellFormed() ? path.join('.') : unstorable(inner, [...path, name]);
    if (found !== null) return found;
  }
  return null;
}

function strict<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema>> {
  if (!(schema instanceof z.ZodObject) || schema.def.catchall !== undefined)
    return schema as z.ZodType<z.output<Schema>>;
  return schema.strict() as unknown as z.ZodType<z.output<Schema>>;
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: shorten([...path, key].join('.')), message: 'Unknown field' }));
  }
  return [{ field: shorten(path.join('.')), message: issue.message }];
}

function firstOfEach(errors: readonly FieldError[]): FieldError[] {
  return errors.filter((error, index) => errors.findIndex((other) => other.field === error.field) === index);
}

function shorten(field: string): string {
  return field.length > MAX_FIELD_LENGTH ? `${field.slice(0, MAX_FIELD_LENGTH)}…` : field;
}
