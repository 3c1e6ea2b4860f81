import { keepAsEvidence } from '@hissaback/shared/domain/text';
import { readBytes } from '@hissaback/shared/http/body';
import { ProblemError } from '@hissaback/shared/http/problem';

/** The most a postback's body may have, in bytes. */
export const BODY_LIMIT = 16_384;

/** `isClean` is false where a name said two things, a value was no scalar or the body could not be parsed. */
export type Parameters = { values: Map<string, string>; isClean: boolean };

/**
 * The parameters of a postback: those of its address, and of a form or JSON body. A name that says two different things, a value that is no
 * scalar, or a body that cannot be parsed makes it unclean: what could be read is kept.
 *
 * @throws ProblemError `body_too_large` (413) above BODY_LIMIT, `unsupported_media_type` (415)
 */
export async function readParameters(request: Request): Promise<Parameters> {
  const values = new Map<string, string>();
  let isClean = true;
  const put = (name: string, value: string): void => {
    const known = values.get(name);
    if (known !== undefined && known !== value) isClean = false;
    else values.set(name, value);
  };
  for (const [name, value] of new URL(request.url).searchParams) put(name, value);

  if (request.method === 'POST') {
    const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
    const bytes = await readBytes(request, { maxBytes: BODY_LIMIT });
    if (bytes.length > 0 && type === 'application/x-www-form-urlencoded') {
      for (const [name, value] of new URLSearchParams(new TextDecoder().decode(bytes))) put(name, value);
    } else if (bytes.length > 0 && type === 'application/json') {
      const body = parseJson(bytes);
      if (body === null) {
        isClean = false;
        put('_body', new TextDecoder().decode(bytes));
      } else {
        for (const [name, value] of Object.entries(body)) {
          if (value === null) continue;
          if (typeof value === 'string' || typeof value === 'number') put(name, String(value));
          else isClean = false;
        }
      }
    } else if (bytes.length > 0) {
      throw new ProblemError('unsupported_media_type', { detail: 'Send a form or JSON.' });
    }
  }
  return { values, isClean };
}

/** What is kept of them; the token is nobody's business. */
export function evidenceOf(values: ReadonlyMap<string, string>): Record<string, string> {
  return keepAsEvidence(values, ['token']);
}

function parseJson(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
