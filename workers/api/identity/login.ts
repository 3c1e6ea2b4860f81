import type { Database } from '@hissaback/shared/db/client';
import { loginUser, type Membership, membershipsOf } from '@hissaback/shared/db/queries/identity';
import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import type { Grant } from '@hissaback/shared/http/access-token';

export type Login = {
  userId: string;
  isOperator: boolean;
  /** Newest first. */
  memberships: readonly Membership[];
};

/** The user behind a verified phone, made if new. */
export function logIn(db: Database, phone: string, clock: Clock, random: Random): Promise<Login> {
  const newUserId = mintUuid(random);
  const now = new Date(clock.now());
  return db.transaction(async (tx) => {
    const { userId, isOperator } = await loginUser(tx, { phone, newUserId, now });
    return { userId, isOperator, memberships: await membershipsOf(tx, userId) };
  });
}

/** What a login's token is for: an operator's work, else the latest membership's tenant, else shopping. */
export function defaultScope({ userId, isOperator, memberships }: Login): Grant {
  if (isOperator) return { sub: userId, role: 'operator' };
  const [latest] = memberships;
  return latest === undefined
    ? { sub: userId, role: 'shopper' }
    : { sub: userId, role: 'creator', tenantId: latest.tenantId };
}
