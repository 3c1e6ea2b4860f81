import type { Database } from '@hissaback/shared/db/client';
import { loginUser, type Membership, membershipsOf, phoneHolder } from '@hissaback/shared/db/queries/identity';
import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { needsSecondProof, type PhoneHolder, RECYCLED_PHONE_DAYS } from '@hissaback/shared/domain/recycled-phone';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import type { Grant } from '@hissaback/shared/http/access-token';
import type { IdentityBindings } from './env.ts';

export type Login = {
  userId: string;
  isOperator: boolean;
  /** Newest first. */
  memberships: readonly Membership[];
};

/** The account behind a phone, if its holder was away for so long that the number may be someone else's by now and there is something to protect. */
export async function dormantHolder(
  db: Database,
  phone: string,
  env: IdentityBindings,
  now: number,
): Promise<PhoneHolder | null> {
  const holder = await db.transaction((tx) => phoneHolder(tx, phone));
  return holder !== null && needsSecondProof(holder, now, recycledPhoneDays(env)) ? holder : null;
}

/** RECYCLED_PHONE_DAYS, in days. */
export function recycledPhoneDays(env: IdentityBindings): number {
  const days = Number(env.RECYCLED_PHONE_DAYS ?? '');
  return Number.isSafeInteger(days) && days > 0 ? days : RECYCLED_PHONE_DAYS;
}

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
