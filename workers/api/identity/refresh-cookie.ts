import { decodeRefreshToken, type RefreshToken } from '@hissaback/shared/domain/refresh-token';
import { SESSION_SECONDS } from '@hissaback/shared/domain/session';
import { cookieValues } from '@hissaback/shared/domain/visitor';

/**
 * The refresh token's cookie. `__Host-` makes browsers insist on Secure and Path=/ and refuse a Domain, so that no sibling host can plant or read it. It is Secure
 * over plain http as well: browsers and curl treat localhost as secure.
 */
export const REFRESH_COOKIE = '__Host-hb_refresh';

const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';

/** The `Set-Cookie` header that hands out a refresh token for 30 days. */
export function refreshSetCookie(token: string): string {
  return `${REFRESH_COOKIE}=${token}; Max-Age=${SESSION_SECONDS}; ${ATTRIBUTES}`;
}

/** The `Set-Cookie` header that takes it back. */
export const REFRESH_CLEARED = `${REFRESH_COOKIE}=; Max-Age=0; ${ATTRIBUTES}`;

/** The refresh token in a `Cookie` header, by its form; null without one. */
export function refreshTokenFrom(header: string | undefined): RefreshToken | null {
  const [value] = cookieValues(header ?? '', REFRESH_COOKIE);
  return value === undefined ? null : decodeRefreshToken(value);
}
