import type { Principal } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';

/**
 * Whose rewards are asked for: one's own.
 *
 * @param named the user that the request names, if it names one
 * @throws ProblemError `forbidden` (403) for anybody else, whether there is such a user or not
 */
export function ownSubject(principal: Principal, named: string | undefined): string {
  if (named !== undefined && named !== principal.sub) {
    throw new ProblemError('forbidden', { detail: "user_id must be the token's own subject." });
  }
  return principal.sub;
}
