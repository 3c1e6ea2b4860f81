import type { MiddlewareHandler } from 'hono';
import { encodeBase64url } from '../domain/base64url.ts';

/**
 * Gives every JSON answer to a GET a strong `ETag` over its body, and answers 304 without a body to whoever names it in `If-None-Match`. Answers that say
 * nothing else of caching may be kept by their reader, who asks each time whether they still hold.
 */
export function etags(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const { method } = c.req;
    if ((method !== 'GET' && method !== 'HEAD') || c.res.status !== 200 || c.res.headers.has('etag')) return;
    if (!/^application\/json\b/.test(c.res.headers.get('content-type') ?? '')) return;
    const etag = await etagOf(await c.res.clone().arrayBuffer());
    c.header('etag', etag);
    c.header('vary', 'Authorization', { append: true });
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'private, no-cache');
    if (!isNamed(c.req.header('if-none-match'), etag)) return;
    const headers = new Headers(c.res.headers);
    for (const name of ['content-type', 'content-length']) headers.delete(name);
    c.res = undefined;
    c.res = new Response(null, { status: 304, headers });
  };
}

async function etagOf(body: ArrayBuffer): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', body);
  return `"${encodeBase64url(new Uint8Array(digest, 0, 16))}"`;
}

/** RFC 9110 section 13.1.2: weak comparison, `*` for whatever is there. */
function isNamed(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((given) => ['*', etag, `W/${etag}`].includes(given.trim()));
}
