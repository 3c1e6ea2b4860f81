import { isOneOf } from '@hissaback/shared/domain/constant-time';
import { ProblemError } from '@hissaback/shared/http/problem';

/**
 * Lets a partner pass who knows one of the tokens, in the header `X-Hissaback-Token` or the address (`token`); several, so that they can be rotated.
 * @param tokens separated by commas
 * @throws ProblemError `unauthenticated` (401)
 */
export async function authenticate(request: Request, tokens: string): Promise<void> {
  const given = request.headers.get('x-hissaback-token') ?? new URL(request.url).searchParams.get('token') ?? '';
  const known = tokens.split(',').filter((token) => token !== '');
  if (given === '' || !(await isOneOf(given, known)))
    throw new ProblemError('unauthenticated', { detail: 'The token is missing or wrong.' });
}
