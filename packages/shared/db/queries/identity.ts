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
