/** What the API answers when it refuses (RFC 9457). */
export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  /** One of a closed list. */
  code: string;
  request_id: string;
  errors?: { field: string; message: string }[];
};

/** A request that was refused. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  /** What to name when asking for help. */
  readonly requestId: string;
  /** What is wrong with which field. */
  readonly errors: readonly { field: string; message: string }[];
  /** Seconds after which it is worth trying again, where the API says. */
  readonly retryAfter: number | undefined;

  constructor(body: ProblemBody, retryAfter: number | undefined) {
    super(body.detail ?? body.title);
    this.status = body.status;
    this.code = body.code;
    this.requestId = body.request_id;
    this.errors = body.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

/** The problem in an answer that is no success; one made up if something between us and the API has answered. */
export async function problemOf(answer: Response): Promise<ApiProblem> {
  const seconds = Number(answer.headers.get('retry-after') ?? '');
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
  const text = await answer.text();
  return new ApiProblem(parse(text) ?? foreign(answer), retryAfter);
}

function parse(text: string): ProblemBody | null {
  try {
    const value: unknown = JSON.parse(text);
    return isProblem(value) ? value : null;
  } catch {
    return null;
  }
}

function isProblem(value: unknown): value is ProblemBody {
  if (typeof value !== 'object' || value === null) return false;
  const { code, status, title } = value as Partial<Record<keyof ProblemBody, unknown>>;
  return typeof code === 'string' && typeof status === 'number' && typeof title === 'string';
}

function foreign(answer: Response): ProblemBody {
  const request_id = answer.headers.get('x-request-id') ?? '';
  const title = `HTTP ${answer.status}`;
  return { type: 'about:blank', title, status: answer.status, code: 'unknown', request_id };
}
