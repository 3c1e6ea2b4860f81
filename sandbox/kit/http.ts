import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

/** One request with its whole body read. `signal` aborts when the server closes. */
export type Call = {
  method: string;
  url: URL;
  params: Record<string, string>;
  headers: IncomingHttpHeaders;
  body: Buffer;
  signal: AbortSignal;
};
/** What a handler answers; `drop` destroys the connection without a byte. */
export type Answer = { status: number; headers?: Record<string, string>; body: string } | 'drop';
export type Handler = (call: Call) => Answer | Promise<Answer>;
/** Keys read `METHOD /path`; a path segment `:name` lands in `params`. */
export type Routes = Record<string, Handler>;
export type Running = { url: string; port: number; close(): Promise<void> };
export type ListenOptions = { host?: string | undefined; port?: number | undefined };

const MAX_BODY_BYTES = 1024 * 1024;

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

export function html(status: number, body: string): Answer {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    'cache-control': 'no-store',
  };
  return { status, headers, body };
}

/** Parses a JSON body; `undefined` when it is none. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Serves `routes` on `host` (127.0.0.1) and `port` (any free one) until closed. */
export async function serve(name: string, routes: Routes, options: ListenOptions = {}): Promise<Running> {
  const table = compile(routes);
  const closing = new AbortController();
  const server = createServer((request, response) => {
    handle(table, request, response, closing.signal).catch((error: unknown) => {
      if (!closing.signal.aborted && !request.destroyed) {
        console.error(JSON.stringify({ level: 'error', sandbox: name, method: request.method, error: String(error) }));
      }
      if (response.headersSent || closing.signal.aborted) response.destroy();
      else send(response, json(500, { error: 'internal error' }));
    });
  });
  // Longer than any client keeps an idle connection, so that a reused one is never closed under a request.
  server.keepAliveTimeout = 120_000;
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`${name}: no port`);
  return {
    url: `http://${host}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise<void>((resolve) => {
        closing.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Route = { method: string; segments: string[]; handler: Handler };

function compile(routes: Routes): Route[] {
  return Object.entries(routes).map(([key, handler]) => {
    const [method = '', path = ''] = key.split(' ');
    return { method, segments: path.split('/'), handler };
  });
}

function match(route: Route, segments: string[]): Record<string, string> | undefined {
  if (route.segments.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of route.segments.entries()) {
    const given = segments[index] ?? '';
    if (expected.startsWith(':') && given !== '') params[expected.slice(1)] = given;
    else if (expected !== given) return undefined;
  }
  return params;
}

async function handle(table: Route[], request: IncomingMessage, response: ServerResponse, signal: AbortSignal) {
  const method = request.method ?? 'GET';
  const url = new URL(`http://sandbox${request.url ?? '/'}`);
  const segments = url.pathname.split('/');
  const found = table.flatMap((route) => {
    const params = match(route, segments);
    return params === undefined ? [] : [{ route, params }];
  });
  if (found.length === 0) return send(response, json(404, { error: 'not found' }));
  const chosen = found.find(({ route }) => route.method === method);
  if (chosen === undefined) {
    const allow = found.map(({ route }) => route.method).join(', ');
    return send(response, json(405, { error: 'method not allowed' }, { allow }));
  }
  const body = await readBody(request);
  if (body === undefined) {
    return send(response, json(413, { error: 'body larger than 1 MiB' }, { connection: 'close' }));
  }
  const { params } = chosen;
  send(response, await chosen.route.handler({ method, url, params, headers: request.headers, body, signal }));
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === 'drop') {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, { 'content-length': Buffer.byteLength(answer.body), ...answer.headers });
  response.end(answer.body);
}
