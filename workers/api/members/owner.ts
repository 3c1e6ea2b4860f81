import { lockTenant } from '@hissaback/shared/db/queries/members';
import { membership } from '@hissaback/shared/db/queries/tenants';
import type { Tx } from '@hissaback/shared/db/types';
import type { Principal } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';

/**
 * Asks the table, in the transaction of the change itself and with the tenant's people locked, whether the token's subject owns the tenant (money rule 24).
 *
 * @throws ProblemError `forbidden` (403)
 */
export async function assertOwner(tx: Tx, principal: Principal, tenant_id: string): Promise<void> {
  await lockTenant(tx, { tenant_id });
  if ((await membership(tx, { tenant_id, user_id: principal.sub })) !== 'owner') {
    throw new ProblemError('forbidden', { detail: 'Only an owner of the tenant may do this.' });
  }
}
