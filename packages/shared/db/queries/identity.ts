import type { PhoneHolder, Proof } from '../../domain/recycled-phone.ts';
import type { Tx } from '../types.ts';

export type Membership = { tenantId: string; role: 'owner' | 'member' };

/** The user of a verified phone: the one there is, else a new one with `newUserId`. */
export async function loginUser(
  tx: Tx,
  { phone, newUserId, now }: { phone: string; newUserId: string; now: Date },
): Promise<{ userId: string; isNew: boolean; isOperator: boolean }> {
  const { rows } = await tx.query<{ user_id: string; is_new: boolean; is_operator: boolean }>(
    'select user_id, is_new, is_operator from login_user($1, $2, $3)',
    [phone, newUserId, now],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('login_user returned nothing');
  return { userId: row.user_id, isNew: row.is_new, isOperator: row.is_operator };
}

/** The tenants someone belongs to, newest membership first. */
export async function membershipsOf(tx: Tx, userId: string): Promise<Membership[]> {
  const { rows } = await tx.query<{ tenant_id: string; role: 'owner' | 'member' }>(
    'select tenant_id, role from memberships_of($1)',
    [userId],
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, role: row.role }));
}

/** True if the transaction's operator (`withOperator`) is one. */
export async function isOperator(tx: Tx): Promise<boolean> {
  const { rows } = await tx.query<{ is_operator: boolean }>('select is_operator() as is_operator');
  return rows[0]?.is_operator === true;
}

/** Binds a visitor to a shopper unless it is bound already (money rule 8). Returns whose it is. */
export async function bindVisitor(
  tx: Tx,
  { visitorId, userId, now }: { visitorId: string; userId: string; now: Date },
): Promise<string | null> {
  const { rows } = await tx.query<{ holder: string | null }>('select bind_visitor($1, $2, $3) as holder', [
    visitorId,
    userId,
    now,
  ]);
  return rows[0]?.holder ?? null;
}

/** Who holds a verified phone, before a login changes what is known of them. */
export async function phoneHolder(tx: Tx, phone: string): Promise<PhoneHolder | null> {
  type Row = { user_id: string; last_active_at: Date | null; proofs: Proof[]; is_blank: boolean };
  const { rows } = await tx.query<Row>('select user_id, last_active_at, proofs, is_blank from phone_holder($1)', [
    phone,
  ]);
  const [row] = rows;
  if (row === undefined) return null;
  return {
    userId: row.user_id,
    lastActiveAt: row.last_active_at?.getTime() ?? null,
    proofs: row.proofs,
    isBlank: row.is_blank,
  };
}

/** What a second proof is compared with; null without a phone to log in by. Runs in `withUser`. */
export async function proofsOf(
  tx: Tx,
  userId: string,
): Promise<{ phone: string; email: string | null; kycHash: string | null } | null> {
  const { rows } = await tx.query<{ phone: string; email: string | null; kyc_hash: string | null }>(
    'select phone, email, kyc_hash from users where user_id = $1 and phone is not null',
    [userId],
  );
  const [row] = rows;
  return row === undefined ? null : { phone: row.phone, email: row.email, kycHash: row.kyc_hash };
}

/** Gives the phone of a user not seen since `inactiveSince` to a new one. False if there is no such phone to give. */
export async function releasePhone(
  tx: Tx,
  params: { userId: string; newUserId: string; auditId: bigint; inactiveSince: Date; now: Date },
): Promise<boolean> {
  const { rows } = await tx.query<{ user_id: string | null }>('select release_phone($1, $2, $3, $4, $5) as user_id', [
    params.userId,
    params.newUserId,
    params.auditId,
    params.inactiveSince,
    params.now,
  ]);
  return rows[0]?.user_id === params.newUserId;
}
