import type { Json } from '../openapi/schemas.ts';

/** A JSON Schema in the form people read: the value as it is written, with types in place of values. `?` marks what may be left out. */
export function schemaText(schema: Json, indent = ''): string {
  if (typeof schema.$ref === 'string') return schema.$ref.replace(/^.*\//, '');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const alternatives = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (alternatives !== undefined) return alternatives.map((each) => schemaText(each, indent)).join(' | ');
  const parts = schema.allOf as Json[] | undefined;
  if (parts !== undefined) return parts.map((each) => schemaText(each, indent)).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => schemaText({ ...schema, type }, indent)).join(' | ');
  if (schema.type === 'array') return `[${schemaText((schema.items as Json | undefined) ?? {}, indent)}]`;
  if (schema.type === 'object') return objectText(schema, indent);
  return scalarText(schema);
}

function objectText(schema: Json, indent: string): string {
  const required = new Set((schema.required as string[] | undefined) ?? []);
  const inner = `${indent}  `;
  const members = Object.entries((schema.properties as Record<string, Json> | undefined) ?? {}).map(
    ([name, member]) =>
      `${inner}${name}${required.has(name) ? '' : '?'}: ${schemaText(member, inner)}${commentOf(member)}`,
  );
  const { additionalProperties: others, propertyNames } = schema as {
    additionalProperties?: Json;
    propertyNames?: Json;
  };
  if (typeof others === 'object' && (Object.keys(others).length > 0 || members.length === 0)) {
    const name = Array.isArray(propertyNames?.enum) ? propertyNames.enum.join(' | ') : 'any name';
    members.push(`${inner}[${name}]: ${schemaText(others, inner)}`);
  }
  return members.length === 0 ? '{}' : `{\n${members.join('\n')}\n${indent}}`;
}

function commentOf({ description }: Json): string {
  return typeof description === 'string' ? `  // ${description}` : '';
}

function scalarText(schema: Json): string {
  const type = typeof schema.type === 'string' ? schema.type : 'any';
  const { minLength, maxLength, minimum, maximum, pattern, format } = schema as Record<string, unknown>;
  const limits = [
    typeof format === 'string' ? format : undefined,
    range(minLength, maxLength, 'characters'),
    // The bounds of a safe integer say nothing.
    range(bounded(minimum), bounded(maximum), ''),
    typeof pattern === 'string' && pattern.length <= 60 ? pattern : undefined,
  ].filter((limit) => limit !== undefined);
  return limits.length === 0 ? type : `${type} (${limits.join(', ')})`;
}

function bounded(value: unknown): unknown {
  return typeof value === 'number' && Math.abs(value) === Number.MAX_SAFE_INTEGER ? undefined : value;
}

function range(from: unknown, to: unknown, what: string): string | undefined {
  if (from === undefined && to === undefined) return undefined;
  if (to === undefined) return `at least ${from} ${what}`.trim();
  return `${from === undefined ? 'at most ' : `${from} to `}${to} ${what}`.trim();
}
