import { ProblemError } from './problem.ts';

/** Largest body read unless a route says otherwise, in bytes. */
export const MAX_BODY_BYTES = 65_536;
/** Deepest nesting of objects and arrays in a JSON body. */
export const MAX_JSON_DEPTH = 32;

export type BodyOptions = { maxBytes?: number };

const readSoFar = new WeakMap<Request, Uint8Array<ArrayBuffer>>();

/** What `readBytes` read of a request's body; nothing if it has not read any. */
export function bytesReadFrom(request: Request): Uint8Array<ArrayBuffer> {
  return readSoFar.get(request) ?? new Uint8Array(0);
}

/**
 * The bytes of a body, read no further than the limit, whatever `Content-Length` says.
 *
 * @throws ProblemError `body_too_large` (413)
 */
export async function readBytes(request: Request, options: BodyOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const limit = options.maxBytes ?? MAX_BODY_BYTES;
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > limit) throw tooLarge(limit);
  if (request.body === null) return new Uint8Array(0);
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel();
      throw tooLarge(limit);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let position = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, position);
    position += chunk.byteLength;
  }
  readSoFar.set(request, bytes);
  return bytes;
}

/**
 * The value of a JSON body. Keys named `__proto__` are plain data: nothing's prototype changes.
 *
 * @throws ProblemError `unsupported_media_type` (415), `body_too_large` (413), `malformed_json` (400)
 */
export async function readJson(request: Request, options: BodyOptions = {}): Promise<unknown> {
  if (!isJsonType(request.headers.get('content-type'))) {
    throw new ProblemError('unsupported_media_type', {
      detail: 'Send the body as application/json.',
      headers: { accept: 'application/json' },
    });
  }
  const text = decodeUtf8(await readBytes(request, options));
  if (isTooDeep(text)) throw malformed(`The body is nested deeper than ${MAX_JSON_DEPTH} levels.`);
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('The body cannot be parsed.');
  }
}

/** `application/json` or a `+json` type, in UTF-8 or without a charset. */
function isJsonType(header: string | null): boolean {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';');
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type.trim())) return false;
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw malformed('The body is not UTF-8.');
  }
}

// Counted before parsing, so that no body costs more than its length.
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const letter = text.charAt(index);
    if (inString) {
      if (letter === '\\') index++;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === '{' || letter === '[') {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (letter === '}' || letter === ']') depth--;
  }
  return false;
}

function malformed(detail: string): ProblemError {
  return new ProblemError('malformed_json', { detail });
}

function tooLarge(limit: number): ProblemError {
  return new ProblemError('body_too_large', { detail: `The body may have at most ${limit} bytes.` });
}
