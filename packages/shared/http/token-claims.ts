/** `iss` of every token this platform signs. */
export const ISSUER = 'hissaback';
/** `aud` of every token the API accepts. */
export const AUDIENCE = 'hissaback-api';
/** The header's `typ` of an access token (RFC 9068), so that no other kind of token passes for one. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
/** `aud` and `typ` of the token that stands between a verified phone and a second proof. The API accepts it nowhere else. */
export const PROOF_AUDIENCE = 'hissaback-proof';
export const PROOF_TOKEN_TYPE = 'proof+jwt';

export const ROLES = ['shopper', 'creator', 'widget', 'operator', 'cron'] as const;
export type Role = (typeof ROLES)[number];

/** The claims of an access token. `iat` and `exp` are seconds since the epoch. */
export type AccessClaims = {
  iss: typeof ISSUER;
  aud: typeof AUDIENCE;
  /** The user's id, the widget's id, or `cron`. */
  sub: string;
  role: Role;
  /** The one tenant that a creator's or a widget's token is scoped to. */
  tenant_id?: string;
  /** The session of a person's token: shopper, creator, operator. */
  sid?: string;
  /** Of a widget's token, its id in the list of the widget's tokens. */
  jti: string;
  iat: number;
  exp: number;
};
