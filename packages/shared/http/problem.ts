import type { Context, Hono, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { HttpVariables } from './context.ts';

/** Every kind of error the platform answers with. The list is closed: clients may switch on `code`. */
export const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request is malformed' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  otp_invalid: { status: 400, title: 'The code is not valid' },
  proof_invalid: { status: 400, title: 'The proof is not valid' },
  unauthenticated: { status: 401, title: 'Authentication is needed' },
  forbidden: { status: 403, title: 'This is not allowed' },
  second_proof_required: { status: 403, title: 'A second proof is needed' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  conflict: { status: 409, title: 'This conflicts with what is there' },
  idempotency_in_progress: { status: 409, title: 'A request with this Idempotency-Key is still running' },
  gone: { status: 410, title: 'No longer there' },
  precondition_failed: { status: 412, title: 'It has changed in the meantime' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  invalid_field: { status: 422, title: 'A field is not valid' },
  idempotency_mismatch: { status: 422, title: 'This Idempotency-Key was used with another request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'Not available at the moment' },
} as const satisfies Readonly<Record<string, { status: number; title: string }>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The closed list of codes, for the API's description. */
export const codes = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

/** What is wrong with one field; `field` is its path, joined by dots. */
export type FieldError = { field: string; message: string };

export type ProblemOptions = {
  /** One sentence for whoever reads the answer. Never an error's own message. */
  detail?: string;
  errors?: readonly FieldError[];
  /** Headers of the answer, such as `Retry-After`. */
  headers?: Readonly<Record<string, string>>;
  /** Further members of the answer (RFC 9457 section 3.2). */
  members?: Readonly<Record<string, unknown>>;
};

/** An error that becomes an answer as it stands. Throw it anywhere below `onError`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? PROBLEMS[code].title);
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }
}

/** A field that is not valid: 422 with one field error. */
export function invalidField(field: string, message: string): ProblemError {
  return new ProblemError('invalid_field', { detail: `${field}: ${message}`, errors: [{ field, message }] });
}

/** The JSON of a problem (RFC 9457), with the extension members `code`, `request_id` and `errors`. */
export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code: ProblemCode;
  request_id: string;
  errors?: readonly FieldError[];
};

/** The answer that a problem becomes: `application/problem+json`, never cached. */
export function problemResponse(problem: ProblemError, requestId: string): Response {
  const body: ProblemBody = {
    ...problem.members,
    type: `urn:hissaback:problem:${problem.code}`,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    ...(problem.detail !== undefined && { detail: problem.detail }),
    code: problem.code,
    request_id: requestId,
    ...(problem.errors !== undefined && { errors: problem.errors }),
  };
  return new Response(JSON.stringify(body), {
    status: problem.status,
    headers: {
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...problem.headers,
      'content-type': 'application/problem+json',
    },
  });
}

type ProblemEnv = { Variables: HttpVariables };

/** The problem behind anything thrown: itself if it is one, 4xx of the framework as `malformed_request`, else `internal`. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof HTTPException && error.status < 500) return new ProblemError('malformed_request');
  return new ProblemError('internal');
}

/** Hono's `onError`: known problems answer as themselves; of anything else the answer says nothing and one log line tells. */
export function onError<E extends ProblemEnv>(error: unknown, c: Context<E>): Response {
  const problem = problemOf(error);
  if (problem.code === 'internal') c.var.log?.error('unhandled_error', { error, method: c.req.method });
  return problemResponse(problem, c.var.requestId ?? '');
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * Hono's `notFound`: 405 with `Allow` where the path exists under another method, else 404.
 *
 * @param app the app whose routes decide; give it when every route is registered or will be before the first request
 */
export function notFound<E extends ProblemEnv>(app: Hono<E>): NotFoundHandler<E> {
  return (c: Context<E>) => {
    const allowed = METHODS.filter((method) => hasRoute(app, method, c.req.path));
    const requestId = c.var.requestId ?? '';
    if (allowed.length === 0) return problemResponse(new ProblemError('not_found'), requestId);
    const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    return problemResponse(new ProblemError('method_not_allowed', { headers: { allow } }), requestId);
  };
}

// Middleware is registered under `ALL`; only a route of the method's own means that the path is there.
function hasRoute<E extends ProblemEnv>(app: Hono<E>, method: string, path: string): boolean {
  const [matches] = app.router.match(method, path);
  return matches.some(([[, route]]) => route.method === method);
}
