import { type routesOf as RoutesOf, routesOf } from '@hissaback/shared/http/routes';
import { z } from 'zod';
import { describedRoutes, isApiPath } from './described-route.ts';
import { openApiDocument, templateOf } from './document.ts';
import { type Json, problem } from './schemas.ts';

type Response = { description: string; content?: Record<string, { schema: Json }> };
type Description = { paths: Record<string, Record<string, { responses: Record<string, Response> }>> };

/** What a suite got for a request. */
export type GivenAnswer = { method: string; path: string; status: number; contentType: string | null; json: unknown };

/** Every member of the parts that are told of by name is read as if it stood where it is named. */
const NAMED = { '#/components/schemas/Problem': problem };

/**
 * Holds answers against the API's description: their status, their type, and every member of their JSON.
 *
 * @returns what is wrong with an answer, or null
 */
export function answerChecker(app: Parameters<typeof RoutesOf>[0]): (answer: GivenAnswer) => string | null {
  const { paths } = openApiDocument(describedRoutes(routesOf(app))) as unknown as Description;
  const patterns = Object.keys(paths).map((template) => ({ template, pattern: patternOf(template) }));
  const schemas = new Map<Json, z.ZodType>();
  const schemaOf = (schema: Json): z.ZodType => {
    const known = schemas.get(schema) ?? NAMED[schema.$ref as keyof typeof NAMED] ?? z.fromJSONSchema(schema as never);
    schemas.set(schema, known);
    return known;
  };

  return ({ method, path, status, contentType, json }) => {
    const [plain = ''] = path.split('?');
    if (!isApiPath(plain)) return null;
    const templates = patterns.filter(({ pattern }) => pattern.test(plain)).map(({ template }) => template);
    // The path with the fewest parameters is the one that is meant.
    const [template] = templates.sort((a, b) => a.split('{').length - b.split('{').length);
    const verb = (method === 'HEAD' ? 'GET' : method).toLowerCase();
    const described = template === undefined ? undefined : paths[template]?.[verb];
    if (described === undefined) return null;
    const name = `${method} ${template} ${status}`;
    const response = described.responses[String(status)];
    if (response === undefined) return `${name}: this status is not described`;
    const type = contentType?.split(';')[0] ?? '';
    if (status === 304 || method === 'HEAD' || response.content === undefined) return null;
    const content = response.content[type];
    if (content === undefined) return `${name}: the type ${type} is not described`;
    if (!/json$/.test(type)) return null;
    const result = schemaOf(content.schema).safeParse(json);
    if (result.success) return null;
    return `${name}: ${z.prettifyError(result.error)}`;
  };
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${templateOf(template).replace(/\{\w+\}/g, '[^/]+')}$`);
}
