export type Target = 'api' | 'webhook' | 'redirect';

/** What partners call: the network's postbacks, the SMS gateway's delivery reports. */
const WEBHOOK_PATHS = new Set(['/v1/events/conversion', '/v1/events/sms']);
const API_PATHS = new Set(['/', '/robots.txt', '/favicon.ico', '/healthz']);
const API_PREFIXES = ['/v1', '/admin', '/creator', '/c', '/docs', '/widget', '/assets', '/.well-known'];
// Pages whose own files lie beside them: `/widget.js` is the api's as well as `/widget/...`.
const API_FILES = /^\/(?:admin|creator|docs|widget)\.[a-z0-9.]+$/;

/** The worker that serves a path in production: the contract's table, one line for each row. */
export function targetOf(pathname: string): Target {
  if (WEBHOOK_PATHS.has(pathname)) return 'webhook';
  if (API_PATHS.has(pathname) || API_FILES.test(pathname)) return 'api';
  if (API_PREFIXES.some((prefix) => pathname === prefix || pathname.startsWith(`${prefix}/`))) return 'api';
  return 'redirect';
}
