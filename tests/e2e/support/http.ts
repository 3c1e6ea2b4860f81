/** An answer, read whole. `json` is undefined where the body is none. */
export type Answer = {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
};

export type Ask = {
  token?: string | undefined;
  /** Sent as application/json. */
  json?: unknown;
  /** Sent as it is, under `content-type` of the headers. */
  body?: string;
  headers?: Record<string, string>;
};

/** How long an answer may take, in milliseconds. */
export const TIMEOUT_MS = 30_000;
/** A person's: the redirect counts no bots. */
export const USER_AGENT =
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36';

/** One request, redirects not followed. */
export async function ask(method: string, url: string, { token, json, body, headers }: Ask = {}): Promise<Answer> {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      'user-agent': USER_AGENT,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
