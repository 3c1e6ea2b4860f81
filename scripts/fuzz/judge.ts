/** What came back. */
export type FuzzAnswer = { status: number; headers: Headers; text: string; milliseconds: number };

/** Longer than this is a hang, in milliseconds. */
export const PATIENCE_MS = 15_000;

/** Words of our inside. None of them is part of any hostile value. */
const INSIDE =
  /\n\s+at |node_modules|\.tsx?:\d|workerd|\bselect\b.+\bfrom\b|\binsert into\b|\bupdate\b.+\bset\b|violates|constraint "|relation "|column "|syntax error|SQLSTATE|postgres|hyperdrive|ECONN|TypeError|RangeError|ZodError|_zod|undefined is not|Cannot read|hissaback_(?:api|owner|lookup)/i;

/**
 * What is wrong with an answer to a hostile request, or null: a failure of ours, a hang, a look inside, or an error that is no problem of the
 * closed form.
 */
export function judge(answer: FuzzAnswer, method: string, path: string): string | null {
  const { status, headers, text, milliseconds } = answer;
  if (milliseconds > PATIENCE_MS) return `took ${Math.round(milliseconds)} ms`;
  if (status >= 500) return `answered ${status}: ${text.slice(0, 300)}`;
  const inside = INSIDE.exec(text);
  const isPage = /^(?:text\/html|image\/)/.test(headers.get('content-type') ?? '');
  if (inside !== null && status >= 400 && !isPage)
    return `shows its inside (${inside[0].slice(0, 60)}): ${text.slice(0, 300)}`;
  // Other paths are smart links and pages: their errors are for people.
  if (!/^\/(?:v1|\.well-known)\//.test(path)) return null;
  if (!headers.has('x-request-id')) return `answered ${status} without a request id`;
  if (status < 400 || method === 'HEAD') return null;
  if (isPage) return null;
  if (headers.get('content-type') !== 'application/problem+json')
    return `answered ${status} as ${headers.get('content-type')}`;
  const problem = parse(text);
  const isProblem =
    problem?.status === status && typeof problem.code === 'string' && typeof problem.request_id === 'string';
  return isProblem ? null : `answered ${status} with no problem: ${text.slice(0, 300)}`;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
