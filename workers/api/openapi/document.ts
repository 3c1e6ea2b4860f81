import { WEBHOOK_EVENTS, type WebhookEvent, webhookMessages } from '@hissaback/shared/contracts/webhooks';
import { codes, PROBLEMS, type ProblemCode } from '@hissaback/shared/http/problem';
import { type Answers, answersOf, isSchema } from '@hissaback/shared/http/route-facts';
import type { z } from 'zod';
import type { DescribedRoute } from './described-route.ts';
import { bodySchema, type Json, jsonSchema, problem } from './schemas.ts';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

const ABOUT =
  'Hissaback shares the commission of a sale between the creator who recommended it and the shopper who bought.';

/** What holds on every route alike; Markdown, a sentence or two each. */
export const CONVENTIONS: readonly string[] = [
  'Send an access token or an API key as `Authorization: Bearer`. What is asked first is who you are, then whose the thing is, then whether the request is valid.',
  'Amounts are decimal strings with two places beside their currency; percentages too. Times are RFC 3339 in UTC. Ids are opaque strings.',
  'Errors are problem details (RFC 9457). Their `code` is one of a closed list, `errors` names the fields that are wrong, `request_id` is what to name when asking for help.',
  'Lists are arrays; where there is more, the `Link` header leads to the next page.',
  'A POST that creates takes an `Idempotency-Key`: the same key and request get the same answer for 24 hours.',
  'What needs no token is limited to 100 requests per minute and address; `RateLimit` says what is left, `Retry-After` when to come again.',
  'GET answers carry an `ETag`: send it back in `If-None-Match` and get 304 while nothing has changed.',
];

/** The API's description in OpenAPI 3.1, made of the very schemas that validate. */
export function openApiDocument(routes: readonly DescribedRoute[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = templateOf(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Hissaback API',
      version: '1.0.0',
      description: `${ABOUT}\n\n${CONVENTIONS.map((line) => `- ${line}`).join('\n')}`,
      license: { name: 'Proprietary', identifier: 'LicenseRef-Hissaback' },
      contact: { name: 'Hissaback', url: 'https://hissaback.app' },
    },
    servers: [{ url: '/', description: 'Wherever this description was found' }],
    tags: [...new Set(routes.map(tagOf))].sort().map((name) => ({ name, description: `Everything below ${name}` })),
    paths,
    webhooks: webhooksOf(),
    components: { securitySchemes: SECURITY_SCHEMES, schemas: { Problem: problemSchema() }, headers: HEADERS },
  };
}

/** A path as OpenAPI writes it. */
export function templateOf(path: string): string {
  return path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}');
}

const SECURITY_SCHEMES = {
  token: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      "An access token of one of the operation's roles (`x-roles`), or, where `x-api-key-scope` is given, an API key with that scope.",
  },
  session: { type: 'apiKey', in: 'cookie', name: '__Host-hb_refresh', description: 'The refresh cookie of a login' },
  networkHeader: { type: 'apiKey', in: 'header', name: 'X-Hissaback-Token', description: "The network's token" },
  networkQuery: { type: 'apiKey', in: 'query', name: 'token', description: "The network's token" },
};

const HEADERS = {
  Link: { description: 'The next page, as `rel="next"` (RFC 8288)', schema: { type: 'string' } },
  ETag: { description: 'Names this state of the answer', schema: { type: 'string' } },
  RateLimit: {
    description: 'What is left of the limit: `r` requests, renewed in `t` seconds',
    schema: { type: 'string' },
  },
  RateLimitPolicy: { description: 'The limit: `q` requests in `w` seconds', schema: { type: 'string' } },
  RetryAfter: { description: 'Seconds until it is worth trying again', schema: { type: 'integer', minimum: 0 } },
  RequestId: { description: 'The id of the request in our logs', schema: { type: 'string' } },
  IdempotencyReplayed: { description: '`true` on an answer that was given before', schema: { type: 'string' } },
};

function problemSchema(): Json {
  const described = jsonSchema(problem, 'output');
  return { description: 'What went wrong (RFC 9457)', ...described };
}

function operationOf(route: DescribedRoute): Json {
  const { operation, access, scope } = route;
  return {
    operationId: operation.id,
    summary: operation.summary,
    description: descriptionOf(route),
    tags: [tagOf(route)],
    ...(access.kind === 'roles' && { 'x-roles': access.roles }),
    ...(scope !== null && { 'x-api-key-scope': scope }),
    security: securityOf(access),
    ...parametersOf(route),
    ...(route.body !== null && { requestBody: requestBodyOf(route, route.body) }),
    responses: { ...successesOf(route), ...failuresOf(route.errors) },
  };
}

function descriptionOf({ operation, access, takesIdempotencyKey, scope }: DescribedRoute): string {
  const sentences = [
    operation.description,
    access.kind === 'roles' ? `For the roles ${access.roles.join(', ')}.` : undefined,
    scope === null ? undefined : `An API key needs the scope ${scope}.`,
    operation.limit === undefined ? undefined : `Limit: ${operation.limit}.`,
    takesIdempotencyKey ? 'Takes an Idempotency-Key.' : undefined,
  ];
  return sentences.filter((sentence) => sentence !== undefined).join(' ') || `${operation.summary}.`;
}

function securityOf(access: DescribedRoute['access']): Json[] {
  if (access.kind === 'roles') return [{ token: [] }];
  if (access.kind === 'cookie') return [{ session: [] }];
  return access.kind === 'public' ? [] : [{ networkHeader: [] }, { networkQuery: [] }];
}

/** The first part of a path that says what it is about. */
function tagOf({ path }: Pick<DescribedRoute, 'path'>): string {
  return /^\/v1\/([a-z-]+)/.exec(path)?.[1] ?? 'keys';
}

function parametersOf(route: DescribedRoute): Json {
  const parameters = [
    ...route.params.map(({ name, schema }) => ({
      name,
      in: 'path',
      required: true,
      schema: schema === null ? { type: 'string', format: 'uuid' } : jsonSchema(schema, 'input'),
    })),
    ...queryParametersOf(route.query),
    ...(route.takesIdempotencyKey
      ? [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            description: 'Carries the request out once, however often it is sent',
            schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
          },
        ]
      : []),
  ];
  return parameters.length > 0 ? { parameters } : {};
}

function queryParametersOf(query: z.ZodType | null): Json[] {
  if (query === null) return [];
  const { properties = {}, required = [] } = jsonSchema(query, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => {
    const { description, ...rest } = schema;
    return {
      name,
      in: 'query',
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}

function requestBodyOf(route: DescribedRoute, body: NonNullable<DescribedRoute['body']>): Json {
  if (!isSchema(body))
    return { required: true, content: { [body.type]: { schema: { type: 'string', format: 'binary' } } } };
  const schema = bodySchema(body);
  const form = route.access.kind === 'network' ? { [FORM_TYPE]: { schema } } : {};
  return { required: true, content: { [JSON_TYPE]: { schema }, ...form } };
}

function successesOf(route: DescribedRoute): Json {
  const isRead = route.method === 'GET';
  const headers = {
    'X-Request-Id': headerOf('RequestId'),
    ...(route.access.kind === 'public' && {
      RateLimit: headerOf('RateLimit'),
      'RateLimit-Policy': headerOf('RateLimitPolicy'),
    }),
    ...(route.takesIdempotencyKey && { 'Idempotency-Replayed': headerOf('IdempotencyReplayed') }),
  };
  const successes: Json = {};
  for (const [status, holds] of answersOf(route.operation)) {
    const isJson = isSchema(holds);
    const hasNext = isJson && isRead && isPaged(route.query);
    successes[String(status)] = {
      description: 'description' in holds && typeof holds.description === 'string' ? holds.description : 'Done',
      headers: {
        ...headers,
        ...(isJson && isRead && { ETag: headerOf('ETag') }),
        ...(hasNext && { Link: headerOf('Link') }),
      },
      ...contentOf(holds),
    };
    if (isJson && isRead) successes['304'] = { description: 'As it was when If-None-Match was given', headers };
  }
  return successes;
}

function isPaged(query: z.ZodType | null): boolean {
  return query !== null && 'cursor' in ((jsonSchema(query, 'input').properties as Json | undefined) ?? {});
}

function contentOf(holds: Answers): Json {
  if (isSchema(holds)) return { content: { [JSON_TYPE]: { schema: jsonSchema(holds, 'output') } } };
  return 'type' in holds ? { content: { [holds.type]: { schema: { type: 'string' } } } } : {};
}

function headerOf(name: keyof typeof HEADERS): Json {
  return { $ref: `#/components/headers/${name}` };
}

/** The headers of a message to a tenant's server. */
export const WEBHOOK_HEADERS = {
  'webhook-id': 'Names the event: the same however often it is sent',
  'webhook-timestamp': 'When it was sent, in seconds since 1970',
  'webhook-signature':
    'For each secret in use `v1,` and the HMAC-SHA256 of id, timestamp and body, parted by dots; parted by blanks',
};
/** What each message tells. */
export const WEBHOOK_SUMMARIES: Record<WebhookEvent, string> = {
  'conversion.created': 'A purchase was tracked',
  'conversion.confirmed': 'Its return period is over and its reward is due',
  'conversion.reversed': 'It was cancelled by the network or refused',
  'reward.paid': 'Its shopper has the reward',
};

/** What we send to the endpoints of `POST /v1/webhooks`. */
function webhooksOf(): Json {
  const parameters = Object.entries(WEBHOOK_HEADERS).map(([name, description]) => ({
    ...{ name, in: 'header', required: true, description, schema: { type: 'string' } },
  }));
  return Object.fromEntries(
    WEBHOOK_EVENTS.map((type) => [
      type,
      {
        post: {
          operationId: type.replace(/\.(\w)/, (_, letter: string) => letter.toUpperCase()),
          summary: WEBHOOK_SUMMARIES[type],
          description: 'Signed as Standard Webhooks says. Sent again over three days until it is answered with 2xx.',
          tags: ['webhooks'],
          security: [],
          parameters,
          requestBody: {
            required: true,
            content: { [JSON_TYPE]: { schema: jsonSchema(webhookMessages[type], 'output') } },
          },
          responses: {
            '200': { description: 'Heard; any status from 200 to 299 will do' },
            '4XX': { description: 'It is sent again later, as after any other answer and after none' },
          },
        },
      },
    ]),
  );
}

/** One response for each status, naming the codes it may come with. */
function failuresOf(errors: readonly ProblemCode[]): Json {
  const statuses = [...new Set(errors.map((code) => PROBLEMS[code].status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const named = errors.filter((code) => PROBLEMS[code].status === status);
      return [
        String(status),
        {
          description: named.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('. '),
          headers: {
            'X-Request-Id': headerOf('RequestId'),
            ...((status === 429 || status === 503) && { 'Retry-After': headerOf('RetryAfter') }),
            ...(status === 429 && { RateLimit: headerOf('RateLimit') }),
          },
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ];
    }),
  );
}

/** Every code a problem can have, with its status and title. */
export function problemCodes(): { code: ProblemCode; status: number; title: string }[] {
  return codes.map((code) => ({ code, ...PROBLEMS[code] }));
}
