import { keepAsEvidence } from '@hissaback/shared/domain/text';

/** The most that is read of a postback's body, in bytes. */
export const BODY_LIMIT = 16_384;

/** `isClean` is false where a name said two things, a value was no scalar, or the body was too long or could not be parsed. */
export type Parameters = { values: Map<string, string>; isClean: boolean };

/** What a postback is made of: kept before anything else that came with it. */
const KNOWN = [
  ...['click_id', 'offer_id', 'sale_amount', 'status', 'txn_id', 'payout', 'currency', 'goal_id', 'country'],
  '_body',
];

/**
 * The parameters of a postback: those of its address, and of a form or JSON body. A name that says two different things, a value that is no
 * scalar, or a body that is neither, is longer than BODY_LIMIT or cannot be parsed makes it unclean: what could be read is kept, of such a body its
 * beginning as `_body`. The network would only repeat what is refused.
 */
export async function readParameters(request: Request): Promise<Parameters> {
  const values = new Map<string, string>();
  let isClean = true;
  const put = (name: string, value: string): void => {
    const known = values.get(name);
    if (known === undefined) values.set(name, value);
    else if (known !== value) {
      isClean = false;
      values.set(`${name} (again)`, value);
    }
  };
  for (const [name, value] of new URL(request.url).searchParams) put(name, value);
  if (request.method !== 'POST') return { values, isClean };

  const { bytes, isWhole } = await readBeginning(request);
  if (bytes.length === 0) return { values, isClean };
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const text = new TextDecoder().decode(bytes);
  const json = isWhole && type === 'application/json' ? parseJson(bytes) : null;
  if (isWhole && type === 'application/x-www-form-urlencoded') {
    for (const [name, value] of new URLSearchParams(text)) put(name, value);
  } else if (json !== null) {
    for (const [name, value] of Object.entries(json)) {
      if (value === null) continue;
      if (typeof value !== 'string') isClean = false;
      put(name, typeof value === 'string' ? value : JSON.stringify(value));
    }
  } else {
    isClean = false;
    put('_body', text);
  }
  return { values, isClean };
}

/** What is kept of them, without the tokens, which are nobody's business. */
export function evidenceOf(values: ReadonlyMap<string, string>, tokens: readonly string[]): Record<string, string> {
  const known = KNOWN.flatMap((name) => (values.has(name) ? [[name, values.get(name) ?? ''] as const] : []));
  const others = [...values].filter(([name]) => !KNOWN.includes(name));
  const clear = (text: string): string => tokens.reduce((rest, token) => rest.replaceAll(token, '***'), text);
  const cleared = [...known, ...others].map(([name, value]) => [clear(name), clear(value)] as const);
  return keepAsEvidence(cleared, ['token', 'token (again)']);
}

/** A body's first BODY_LIMIT bytes, and whether that is all of it. */
async function readBeginning(request: Request): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  if (request.body === null) return { bytes: new Uint8Array(0), isWhole: true };
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const bytes = new Uint8Array(BODY_LIMIT);
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: bytes.subarray(0, size), isWhole: true };
    const fits = value.subarray(0, BODY_LIMIT - size);
    bytes.set(fits, size);
    size += fits.length;
    if (fits.length === value.length) continue;
    // Not cancelled: that would break the connection before the answer is through.
    reader.releaseLock();
    return { bytes, isWhole: false };
  }
}

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** A JSON object, its numbers as the digits that were sent: a click id is longer than what a number can hold. Null for anything else. */
function parseJson(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
    const value = parseWith(text, (_, inner, { source }) =>
      typeof inner === 'number' ? digitsOf(inner, source) : inner,
    );
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function digitsOf(value: number, source: string): string {
  return Number.isSafeInteger(value) || /e/i.test(source) ? String(value) : source;
}
