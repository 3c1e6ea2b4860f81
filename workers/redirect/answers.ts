import type { Random } from '@hissaback/shared/domain/chance';
import { requestIdOf } from '@hissaback/shared/http/request-id';

/** What a page says, and the problem's code for a client that asks for JSON. */
const PAGES = {
  unknown: {
    status: 404,
    code: 'not_found',
    title: 'We cannot find this link',
    text: 'It may have been mistyped or taken down. Ask the person who shared it for a fresh one.',
  },
  paused: {
    status: 410,
    code: 'gone',
    title: 'This offer is resting',
    text: 'Its creator has paused it for now. Rewards you have already earned with it are safe.',
  },
  expired: {
    status: 410,
    code: 'gone',
    title: 'This offer has ended',
    text: 'You are a little late for this one. Rewards you have already earned with it are safe.',
  },
  not_here: {
    status: 403,
    code: 'forbidden',
    title: 'This offer is not available where you are',
    text: 'The merchant rewards purchases from other countries only.',
  },
  unavailable: {
    status: 503,
    code: 'unavailable',
    title: 'One moment, please',
    text: 'We could not open this link just now. Please try again in a few seconds.',
  },
} as const;

export type PageName = keyof typeof PAGES;

const RETRY_AFTER_SECONDS = '5';
const STYLE =
  'body{margin:0;min-height:100vh;display:grid;place-content:center;padding:2rem;box-sizing:border-box;font:1.125rem/1.5 system-ui,sans-serif;color:#1d1b2e;background:#fdfaf5;text-align:center}h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}p{max-width:32rem;margin:0 auto}footer{margin-top:2.5rem;font-size:1rem;color:#5b5870}@media(prefers-color-scheme:dark){body{color:#f4f1fb;background:#17152a}footer{color:#b4b0cc}}';
/** SHA-256 of STYLE: the policy admits this style and nothing else. */
const STYLE_HASH = 'sha256-yr4JI4y35aPq6kvpwXI+VzfNpu7pnI0xv4Mu0lL/BmQ=';
const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** 302 to `location`, never stored, so that every click counts. `secure` on https. */
export function redirect(secure: boolean, location: string, setCookie?: string): Response {
  const headers = commonHeaders(secure);
  headers.Location = location;
  if (setCookie !== undefined) headers['Set-Cookie'] = setCookie;
  return new Response(null, { status: 302, headers });
}

/** A friendly page, or problem details (RFC 9457) for a client that asks for JSON. */
export function page(request: Request, name: PageName, random: Random): Response {
  const { status, code, title, text } = PAGES[name];
  const headers = commonHeaders(request.url.startsWith('https:'));
  if (status === 503) headers['Retry-After'] = RETRY_AFTER_SECONDS;
  const accept = request.headers.get('Accept') ?? '';
  if (/json/i.test(accept) && !/html/i.test(accept))
    return problem(request, headers, { status, code, title, detail: text }, random);
  headers['Content-Type'] = 'text/html; charset=utf-8';
  headers['Content-Security-Policy'] = POLICY;
  headers['X-Content-Type-Options'] = 'nosniff';
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title} - Hissaback</title>`;
  const body = `<main><h1>${title}</h1><p>${text}</p></main><footer>Hissaback: share the offer, share the reward.</footer>`;
  const html = `<!doctype html><html lang="en"><head>${head}<style>${STYLE}</style></head><body>${body}</body></html>`;
  return new Response(html, { status, headers });
}

/** 405 as problem details: whoever sends another method is not a browser following a link. */
export function methodNotAllowed(request: Request, random: Random): Response {
  const headers = commonHeaders(request.url.startsWith('https:'));
  headers.Allow = 'GET, HEAD';
  const detail = 'A smart link answers GET and HEAD.';
  return problem(
    request,
    headers,
    { status: 405, code: 'method_not_allowed', title: 'Method not allowed', detail },
    random,
  );
}

/** As every other worker says what is wrong, with codes of the same list. */
function problem(
  request: Request,
  headers: Record<string, string>,
  { status, code, title, detail }: { status: number; code: string; title: string; detail: string },
  random: Random,
): Response {
  const request_id = requestIdOf(request.headers.get('X-Request-Id'), random);
  const body = JSON.stringify({ type: `urn:hissaback:problem:${code}`, title, status, detail, code, request_id });
  return new Response(body, { status, headers: { ...headers, 'Content-Type': 'application/problem+json' } });
}

const COMMON = {
  'Cache-Control': 'private, no-store',
  // The network learns the site a shopper comes from, as its traffic checks expect, but never the page.
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'X-Robots-Tag': 'noindex',
};
const COMMON_SECURE = { ...COMMON, 'Strict-Transport-Security': 'max-age=31536000' };

function commonHeaders(secure: boolean): Record<string, string> {
  return { ...(secure ? COMMON_SECURE : COMMON) };
}
