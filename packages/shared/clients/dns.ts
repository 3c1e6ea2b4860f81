/** How long a resolver may take, in milliseconds. */
export const DNS_TIMEOUT_MS = 5_000;

const TYPES = { A: 1, TXT: 16, AAAA: 28 } as const;
const LARGEST_ANSWER = 65_536;

/** A resolver that speaks JSON over HTTPS, as Cloudflare's and Google's do. */
export type Resolver = {
  /** For example `https://cloudflare-dns.com/dns-query`. */
  readonly endpoint: string;
  readonly fetch: (input: URL, init: RequestInit) => Promise<Response>;
};

/**
 * The records of a name, or null if nobody could say: no resolver, no answer, an answer that is none. A name that does not exist has no records. A TXT
 * record's pieces are joined.
 */
export async function resolve(resolver: Resolver, name: string, type: keyof typeof TYPES): Promise<string[] | null> {
  if (resolver.endpoint === '') return null;
  const url = new URL(resolver.endpoint);
  url.searchParams.set('name', name);
  url.searchParams.set('type', type);
  try {
    const response = await resolver.fetch(url, {
      headers: { accept: 'application/dns-json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(DNS_TIMEOUT_MS),
    });
    const text = await response.text();
    return response.status === 200 && text.length <= LARGEST_ANSWER ? recordsIn(JSON.parse(text), TYPES[type]) : null;
  } catch {
    return null;
  }
}

const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

function recordsIn(answer: unknown, type: number): string[] | null {
  if (!isRecord(answer)) return null;
  if (answer.Status === NO_SUCH_NAME) return [];
  if (answer.Status !== NO_ERROR) return null;
  const records = Array.isArray(answer.Answer) ? answer.Answer : [];
  return records.flatMap((record: unknown) =>
    isRecord(record) && record.type === type && typeof record.data === 'string' ? [unquote(record.data)] : [],
  );
}

/** Resolvers write a TXT record as one or more quoted pieces, or bare. */
function unquote(data: string): string {
  const pieces = [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, piece = '']) => piece.replace(/\\(.)/g, '$1'));
  return pieces.length > 0 ? pieces.join('') : data;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
