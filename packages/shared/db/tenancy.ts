import { isUuid } from '../domain/uuid.ts';
import type { Database, TransactionOptions, Tx } from './types.ts';

type DoorOptions = Omit<TransactionOptions, 'identity'>;

/**
 * A transaction that sees one tenant (money rule 20). Every query in it still names the tenant. Throws a RangeError if `tenantId` is no UUID, and
 * what `Database.transaction` throws.
 */
export function withTenant<T>(
  db: Database,
  tenantId: string,
  work: (tx: Tx) => Promise<T>,
  options: DoorOptions = {},
): Promise<T> {
  return enter(db, 'tenant', tenantId, work, options);
}

/** A transaction that sees what belongs to one shopper, in every tenant (money rule 20). Errors as `withTenant`. */
export function withUser<T>(
  db: Database,
  userId: string,
  work: (tx: Tx) => Promise<T>,
  options: DoorOptions = {},
): Promise<T> {
  return enter(db, 'user', userId, work, options);
}

/** A transaction that sees every tenant, if `userId` is an operator by the table `operators`; else nothing. Errors as `withTenant`. */
export function withOperator<T>(
  db: Database,
  userId: string,
  work: (tx: Tx) => Promise<T>,
  options: DoorOptions = {},
): Promise<T> {
  return enter(db, 'operator', userId, work, options);
}

async function enter<T>(
  db: Database,
  door: 'tenant' | 'user' | 'operator',
  id: string,
  work: (tx: Tx) => Promise<T>,
  options: DoorOptions,
): Promise<T> {
  if (!isUuid(id)) throw new RangeError(`not a ${door} id`);
  return db.transaction(work, { ...options, identity: { [door]: id } });
}
