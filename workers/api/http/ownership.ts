import { isOperator } from '@hissaback/shared/db/queries/identity';
import { membership } from '@hissaback/shared/db/queries/tenants';
import type { Tx } from '@hissaback/shared/db/types';
import { isUuid } from '@hissaback/shared/domain/uuid';
import type { Principal } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';

/**
 * The one tenant that a creator's or widget's token is scoped to.
 *
 * @param named the tenant that the request names, if it names one
 * @throws ProblemError `forbidden` (403) for any other, whether there is such a tenant or not
 */
export function ownTenant(principal: Principal, named: string | undefined): string {
  if (principal.tenantId === null || (named !== undefined && named !== principal.tenantId)) {
    throw new ProblemError('forbidden', { detail: 'The token is for another tenant.' });
  }
  return principal.tenantId;
}

/**
 * Asks the table, in the transaction of the change itself, whether the token's subject still belongs to the tenant (money rule 24).
 *
 * @throws ProblemError `forbidden` (403)
 */
export async function assertMember(tx: Tx, principal: Principal, tenantId: string): Promise<void> {
  if ((await membership(tx, { tenant_id: tenantId, user_id: principal.sub })) === null) {
    throw new ProblemError('forbidden', { detail: 'You are not a member of this tenant.' });
  }
}

/** As `assertMember`, for operators. */
export async function assertOperator(tx: Tx): Promise<void> {
  if (!(await isOperator(tx))) throw new ProblemError('forbidden', { detail: 'You are not an operator.' });
}

/** An id in a path, in small letters. Throws ProblemError `not_found` (404): what is no id names nothing. */
export function pathId(text: string): string {
  const id = text.toLowerCase();
  if (!isUuid(id)) throw new ProblemError('not_found');
  return id;
}
