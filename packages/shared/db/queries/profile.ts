import type { Side } from '../../domain/journal.ts';
import { type Paise, parsePaise } from '../../domain/money.ts';
import type { Tx } from '../types.ts';

export type ProfileRow = {
  user_id: string;
  phone: string | null;
  name: string | null;
  email: string | null;
  language: string;
  kyc_hash: string | null;
  created_at: Date;
  last_login_at: Date | null;
};

const COLUMNS = 'user_id, phone, name, email, language, kyc_hash, created_at, last_login_at';

/** The transaction's user, null if erased. Runs in `withUser`. */
export async function profileOf(tx: Tx, params: { user_id: string }): Promise<ProfileRow | null> {
  const { rows } = await tx.query<ProfileRow>(
    `select ${COLUMNS} from users where user_id = $1 and deleted_at is null`,
    [params.user_id],
  );
  return rows[0] ?? null;
}

/** Changes what is given and leaves the rest; null takes name or email away. Runs in `withUser`. */
export async function updateProfile(
  tx: Tx,
  params: {
    user_id: string;
    name?: string | null | undefined;
    email?: string | null | undefined;
    language?: string | undefined;
  },
): Promise<ProfileRow | null> {
  const { rows } = await tx.query<ProfileRow>(
    `update users set name = case when $2 then $3 else name end, email = case when $4 then $5 else email end, language = coalesce($6, language)
     where user_id = $1 and deleted_at is null returning ${COLUMNS}`,
    [
      params.user_id,
      params.name !== undefined,
      params.name ?? null,
      params.email !== undefined,
      params.email ?? null,
      params.language ?? null,
    ],
  );
  return rows[0] ?? null;
}

/** Keeps the hash of a PAN, once; false if there is one. Runs in `withUser`. */
export async function setKycHash(tx: Tx, params: { user_id: string; kyc_hash: string }): Promise<boolean> {
  const { rowCount } = await tx.query(
    'update users set kyc_hash = $2 where user_id = $1 and kyc_hash is null and deleted_at is null',
    [params.user_id, params.kyc_hash],
  );
  return rowCount === 1;
}

/** Rows per part of an export at most, the newest ones. */
export const EXPORT_ROWS = 10_000;

const EXPORTS = {
  sessions: `select device, created_at, last_used_at, revoked_at from sessions where user_id = $1 order by created_at desc`,
  memberships: `select tenant_id, role, created_at from tenant_members where user_id = $1 order by created_at desc`,
  visitors: `select visitor_id, created_at, bound_at from visitors where user_id = $1 order by created_at desc`,
  /** Those that led to a purchase: the others are known by their visitor alone. */
  clicks: `select * from purchase_clicks(${EXPORT_ROWS + 1}) where $1::uuid is not null`,
  conversions: `select conv_id::text, tenant_id, offer_id, order_value, currency, status, txn_id as order_id, created_at from conversions
    where user_id = $1 order by created_at desc`,
  rewards: `select led_id::text, tenant_id, user_amount as amount, currency, status, release_at, created_at from ledger
    where user_id = $1 order by created_at desc`,
  balances: `select tenant_id, currency, available, reserved, receivable from payee_accounts where side = 'shopper' and payee = $1`,
  payouts: `select payout_id, tenant_id, method, amount, currency, status, created_at, paid_at from payouts
    where user_id = $1 order by created_at desc`,
  missing_cashback: `select claim_id, merchant, brand, purchased_on, order_id, amount, status, conv_id::text, created_at, decided_at, reason
    from missing_cashback_claims where user_id = $1 order by created_at desc`,
  notifications: `select kind, amount, currency, brand, status, created_at from notifications where user_id = $1 order by created_at desc`,
  notification_preferences: `select tracked, confirmed, paid, reversed, updated_at from notification_preferences where user_id = $1`,
} as const;

export type ExportPart = keyof typeof EXPORTS;
export type ExportedRows = { rows: Record<string, unknown>[]; isComplete: boolean };

/** Everything kept of the transaction's user, part by part, as its tables have it. Runs in `withUser`. */
export async function exportParts(tx: Tx, params: { user_id: string }): Promise<Record<ExportPart, ExportedRows>> {
  const parts: Partial<Record<ExportPart, ExportedRows>> = {};
  for (const [part, query] of Object.entries(EXPORTS) as [ExportPart, string][]) {
    const { rows } = await tx.query<Record<string, unknown>>(`${query} limit ${EXPORT_ROWS + 1}`, [params.user_id]);
    parts[part] = { rows: rows.slice(0, EXPORT_ROWS), isComplete: rows.length <= EXPORT_ROWS };
  }
  return parts as Record<ExportPart, ExportedRows>;
}

export type Erasure = 'erased' | 'operator' | 'sole_owner' | 'payout_in_flight' | 'balance';

/**
 * Erases the transaction's user as a person, or says why not; the row stays for the ledger's sake. Runs in `withUser`.
 *
 * @param params.forfeit gives up what is not paid yet
 */
export async function eraseUser(tx: Tx, params: { audit_id: bigint; forfeit: boolean; at: Date }): Promise<Erasure> {
  const { rows } = await tx.query<{ outcome: Erasure }>('select erase_user($1, $2, $3) as outcome', [
    params.audit_id,
    params.forfeit,
    params.at,
  ]);
  const [row] = rows;
  if (row === undefined) throw new Error('erase_user returned nothing');
  return row.outcome;
}

/** What the transaction's user would give up: balances and rewards on their way, per currency. Runs in `withUser`. */
export async function openBalances(
  tx: Tx,
  params: { user_id: string },
): Promise<{ currency: string; available: string; pending: string }[]> {
  const { rows } = await tx.query<{ currency: string; available: string; pending: string }>(
    `select currency, sum(available)::numeric(14,2) as available, sum(pending)::numeric(14,2) as pending from (
       select currency, available + reserved as available, 0 as pending from payee_accounts where side = 'shopper' and payee = $1
       union all
       select currency, 0, user_amount from ledger where user_id = $1 and status in ('pending', 'review')) as parts
     group by currency having sum(available) <> 0 or sum(pending) <> 0 order by currency`,
    [params.user_id],
  );
  return rows;
}

/**
 * How much a person may still be paid this financial year without KYC, as a shopper or for tenants of theirs, in paise: the limit less all vouchers of the
 * year and side, whether paid or on their way. Null for one whose PAN is known: no limit. Asked under a lock of all that may be reserved for them, so that two
 * reservations cannot share the same room.
 *
 * @param params.since when the year began (`financialYearStart`)
 * @param params.limit KYC_YEARLY_LIMIT or CREATOR_KYC_YEARLY_LIMIT, in paise
 */
export async function roomWithoutKyc(
  tx: Tx,
  params: { user_id: string; side: Side; currency: string; since: Date; limit: Paise },
): Promise<Paise | null> {
  const { rows } = await tx.query<{ has_kyc: boolean; paid: string }>(
    `select u.kyc_hash is not null as has_kyc,
       (select coalesce(sum(p.amount), 0)::numeric(14,2) from payouts p
        where p.user_id = u.user_id and p.side = $4 and p.currency = $2 and p.created_at >= $3 and p.status not in ('cancelled', 'error_hard')) as paid
     from users u where u.user_id = $1`,
    [params.user_id, params.currency, params.since, params.side],
  );
  const [row] = rows;
  if (row === undefined) return 0n;
  if (row.has_kyc) return null;
  const room = params.limit - parsePaise(row.paid);
  return room > 0n ? room : 0n;
}
