export type Schema = {
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
};

/** One operation of an OpenAPI document, as far as a request needs it. */
export type FuzzedOperation = {
  method: string;
  /** With `{name}` for parameters. */
  path: string;
  roles: readonly string[];
  query: Record<string, Schema>;
  params: string[];
  body: Schema | null;
  /** Media type of a body that is not JSON. */
  rawType: string | null;
  takesIdempotencyKey: boolean;
};

type Parameter = { name: string; in: string; schema: Schema };
type Described = {
  'x-roles'?: string[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
};

/** The operations of an OpenAPI document. */
export function operationsOf(document: unknown): FuzzedOperation[] {
  const { paths } = document as { paths: Record<string, Record<string, Described>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(method, path, described)),
  );
}

function operationOf(method: string, path: string, described: Described): FuzzedOperation {
  const parameters = described.parameters ?? [];
  const content = described.requestBody?.content ?? {};
  const [type] = Object.keys(content);
  return {
    method: method.toUpperCase(),
    path,
    roles: described['x-roles'] ?? [],
    query: Object.fromEntries(
      parameters.filter((each) => each.in === 'query').map(({ name, schema }) => [name, schema]),
    ),
    params: parameters.filter((each) => each.in === 'path').map(({ name }) => name),
    body: content['application/json']?.schema ?? null,
    rawType: type !== undefined && type !== 'application/json' ? type : null,
    takesIdempotencyKey: parameters.some(({ name }) => name === 'Idempotency-Key'),
  };
}
