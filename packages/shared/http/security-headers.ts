import type { MiddlewareHandler } from 'hono';

/** What an answer carries unless its handler says otherwise: it loads nothing, is framed nowhere, sniffed by no one and cached by none. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

const HSTS = 'max-age=63072000; includeSubDomains';

/** Adds the defaults above where a handler set no such header of its own, and HSTS over https. */
export function securityHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(DEFAULTS)) if (!c.res.headers.has(name)) c.header(name, value);
    if (new URL(c.req.url).protocol === 'https:') c.header('strict-transport-security', HSTS);
  };
}
