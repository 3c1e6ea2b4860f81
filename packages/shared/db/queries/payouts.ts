import { accounts, type EventKind, eventIds, type Posting, postEvent, type Side } from '../../domain/journal.ts';
import { formatPaise, type Paise, parsePaise } from '../../domain/money.ts';
import type { LedgerShare, PayoutItem } from '../../domain/payout-plan.ts';
import type { PayoutStatus } from '../../domain/payout-state.ts';
import { giveBack, noSettlement, type PayeeKey } from '../../domain/settlement.ts';
import type { Tx } from '../types.ts';
import { lockPayees, tellPaid, writeSettlement } from './payee-accounts.ts';

export type { PayeeKey } from '../../domain/settlement.ts';

/** A payout as the sender needs it; amounts in paise, times in milliseconds since the Unix epoch. */
export type Payout = PayeeKey & {
  readonly payoutId: string;
  readonly userId: string;
  readonly amount: Paise;
  readonly status: PayoutStatus;
  readonly creationRequestId: string;
  readonly endpoint: string;
  readonly region: string;
  readonly partnerId: string;
  readonly attempts: number;
  readonly intentStoredAt: number | null;
  readonly voucherCode: string | null;
  readonly smsAttempts: number;
  /** When it became due, and until when it is ours. */
  readonly dueAt: number;
  readonly leaseUntil: number;
};

export type NewPayout = {
  readonly payoutId: string;
  readonly amount: Paise;
  readonly creationRequestId: string;
};

/** A payee and who receives the payee's vouchers: the shopper, or the tenant's oldest owner. */
export type Payee = PayeeKey & { readonly userId: string };

/** What every card of a reservation has in common. */
export type Purchase = { readonly endpoint: string; readonly region: string; readonly partnerId: string };

/**
 * Payees who may be paid: enough available, tenant active and not stopped, a phone to send the voucher to, and no payout that waits for an operator
 * (money rule 14: an `error_hard` one blocks its payee everywhere). In key order, after `after`.
 */
export async function findPayees(
  tx: Tx,
  wanted: { side: Side; currency: string; minimum: Paise; after: PayeeKey | null; limit: number },
): Promise<PayeeKey[]> {
  const { side, currency, minimum, after, limit } = wanted;
  const { rows } = await tx.query<{ tenantId: string; payee: string }>(
    `select a.tenant_id as "tenantId", a.payee
     from payee_accounts a
     where a.side = $1 and a.currency = $2 and a.available >= $3
       and ($4::uuid is null or (a.tenant_id, a.payee) > ($4::uuid, $5::uuid))
       and ${MAY_BE_PAID}
     order by a.tenant_id, a.payee limit $6`,
    [side, currency, formatPaise(minimum), after?.tenantId ?? null, after?.payee ?? null, limit],
  );
  return rows.map((row) => ({ ...row, side, currency }));
}

/** A kill switch is thrown for all payouts or for the tenant's. */
function isStopped(tenant: string): string {
  return `exists (select 1 from kill_switches k where k.scope = 'payouts' and k.cleared_at is null and (k.tenant_id is null or k.tenant_id = ${tenant}))`;
}

/** Who receives the vouchers of the account `a`: the shopper, or the tenant's oldest owner. */
export const RECIPIENT = `case a.side when 'shopper' then a.payee else (select m.user_id from tenant_members m
         where m.tenant_id = a.tenant_id and m.role = 'owner' order by m.created_at, m.user_id limit 1) end`;
const MAY_BE_PAID = `exists (select 1 from tenants t where t.tenant_id = a.tenant_id and t.status = 'active')
       and not ${isStopped('a.tenant_id')}
       and exists (select 1 from users u where u.user_id = ${RECIPIENT} and u.phone is not null)
       and not ${isBlocked('a')}`;

/** A payout of the payee was refused, and no operator has resolved it yet: nothing more is begun for that payee, in any tenant (money rule 14). */
function isBlocked(of: string): string {
  return `exists (select 1 from payouts b where b.side = ${of}.side and b.payee = ${of}.payee and b.status = 'error_hard' and b.resolved_at is null)`;
}

/**
 * Locks all of a shopper's accounts of that currency, in every tenant: what the shopper was paid in a year is counted over them all. False if somebody
 * else holds one.
 */
export async function claimEveryAccount(tx: Tx, { side, payee, currency }: PayeeKey): Promise<boolean> {
  const owned = await tx.query<{ n: bigint }>(
    'select count(*) as n from payee_accounts where side = $1 and payee = $2 and currency = $3',
    [side, payee, currency],
  );
  const locked = await tx.query(
    'select 1 from payee_accounts where side = $1 and payee = $2 and currency = $3 order by tenant_id for update skip locked',
    [side, payee, currency],
  );
  return BigInt(locked.rowCount) === owned.rows[0]?.n;
}

/**
 * Locks the person who receives creators' vouchers for the transaction, whatever tenants they come from: what a person was paid in a year is counted over
 * them all. False if somebody else has the lock.
 */
export async function claimRecipient(tx: Tx, userId: string): Promise<boolean> {
  const { rows } = await tx.query<{ locked: boolean }>(
    `select pg_try_advisory_xact_lock(hashtextextended('creator payouts of ' || $1, 0)) as locked`,
    [userId],
  );
  return rows[0]?.locked === true;
}

/** Locks a payee's account, or passes by if somebody else holds it. Answers what is available, in paise. */
export async function claimAccount(tx: Tx, key: PayeeKey): Promise<Paise | null> {
  const { rows } = await tx.query<{ available: string }>(
    `select available from payee_accounts where ${ACCOUNT_KEY} for update skip locked`,
    accountKey(key),
  );
  return rows[0] === undefined ? null : parsePaise(rows[0].available);
}

/** The same question as findPayees', asked again under the account's lock; who receives the vouchers, or null. */
export async function recipientOf(tx: Tx, key: PayeeKey): Promise<string | null> {
  const { rows } = await tx.query<{ userId: string }>(
    `select ${RECIPIENT} as "userId" from payee_accounts a where ${ACCOUNT_KEY} and ${MAY_BE_PAID}`,
    accountKey(key),
  );
  return rows[0]?.userId ?? null;
}

const ACCOUNT_KEY = 'tenant_id = $1 and side = $2 and payee = $3 and currency = $4';

function accountKey({ tenantId, side, payee, currency }: PayeeKey): unknown[] {
  return [tenantId, side, payee, currency];
}

/**
 * The payee's released ledger rows, of conversions that are not fully covered yet, oldest conversion first, and of no more than make up `most`.
 * @param most what is to be paid of them, in paise
 */
export async function uncoveredShares(tx: Tx, key: PayeeKey, most: Paise): Promise<LedgerShare[]> {
  type Row = { ledId: bigint; convId: bigint; amount: string; covered: string };
  const { rows } = await tx.query<Row>(
    `select l.led_id as "ledId", l.conv_id as "convId",
       (case when $2 = 'shopper' then l.user_amount else l.creator_amount end)::text as amount,
       coalesce((select sum(i.amount) from payout_items i where i.led_id = l.led_id and i.side = $2 and i.returned_at is null), 0)::text as covered
     from oldest_open($1::uuid, $2::text, $3::uuid, $4::text::bpchar, $5::numeric, array[]::bigint[]) o
     cross join lateral (select * from ledger l where l.conv_id = o.conv_id and l.tenant_id = $1::uuid and l.created_at = o.occurred_at offset 0) l
     where l.status in ('confirmed', 'paid')
     order by l.created_at, l.conv_id, l.seq`,
    [...accountKey(key), formatPaise(most)],
  );
  return rows.map((row) => ({ ...row, amount: parsePaise(row.amount), covered: parsePaise(row.covered) }));
}

/**
 * Writes payouts, the rewards that they pay, and the money they reserve: available to reserved. The account's row is locked already.
 * @param at milliseconds since the Unix epoch
 */
export async function insertReservation(
  tx: Tx,
  key: Payee,
  purchase: Purchase,
  payouts: readonly NewPayout[],
  items: readonly PayoutItem[],
  at: number,
): Promise<void> {
  const time = new Date(at);
  await tx.query(
    `insert into payouts (payout_id, tenant_id, side, payee, user_id, currency, amount, status, creation_request_id,
       agcod_endpoint, agcod_region, partner_id, next_attempt_at, created_at, status_at)
     select n.payout_id, $1, $2, $3, $12, $4, n.amount, 'queued', n.creation_request_id, $5, $6, $7, $8, $8, $8
     from unnest($9::uuid[], $10::numeric[], $11::text[]) as n (payout_id, amount, creation_request_id)`,
    [
      ...accountKey(key),
      purchase.endpoint,
      purchase.region,
      purchase.partnerId,
      time,
      payouts.map(({ payoutId }) => payoutId),
      payouts.map(({ amount }) => formatPaise(amount)),
      payouts.map(({ creationRequestId }) => creationRequestId),
      key.userId,
    ],
  );
  await tx.query(
    `insert into payout_items (led_id, tenant_id, side, event_id, payout_id, amount)
     select n.led_id, $1, $2, n.event_id, n.payout_id, n.amount
     from unnest($3::bigint[], $4::text[], $5::uuid[], $6::numeric[]) as n (led_id, event_id, payout_id, amount)`,
    [
      key.tenantId,
      key.side,
      items.map(({ ledId }) => ledId),
      items.map(({ payoutId }) => eventIds.reservation(payoutId)),
      items.map(({ payoutId }) => payoutId),
      items.map(({ amount }) => formatPaise(amount)),
    ],
  );
  const postings = payouts.flatMap(({ payoutId, amount }) =>
    moved(key, 'reservation', eventIds.reservation(payoutId), { available: -amount, reserved: amount }),
  );
  await insertPostings(tx, postings, at);
  const total = payouts.reduce((sum, { amount }) => sum + amount, 0n);
  await moveBalance(tx, key, { available: -total, reserved: total });
}

type Moves = { available?: Paise; reserved?: Paise; vouchers?: Paise };

/** The postings of an event between one payee's accounts and the vouchers bought. */
function moved(key: PayeeKey, kind: EventKind, eventId: string, moves: Moves): Posting[] {
  const { tenantId, side, payee, currency } = key;
  const { available = 0n, reserved = 0n, vouchers = 0n } = moves;
  return postEvent({ eventId, kind, tenantId, currency }, [
    { account: accounts.payee(side, 'available', tenantId, payee), amount: available },
    { account: accounts.payee(side, 'reserved', tenantId, payee), amount: reserved },
    { account: accounts.vouchers(tenantId), amount: vouchers },
  ]);
}

async function insertPostings(tx: Tx, postings: readonly Posting[], at: number): Promise<void> {
  await tx.query(
    `insert into journal_entries (event_id, kind, tenant_id, account, amount, currency, created_at)
     select n.*, $7 from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::numeric[], $6::text[]) as n`,
    [
      postings.map(({ eventId }) => eventId),
      postings.map(({ kind }) => kind),
      postings.map(({ tenantId }) => tenantId),
      postings.map(({ account }) => account),
      postings.map(({ amount }) => formatPaise(amount)),
      postings.map(({ currency }) => currency),
      new Date(at),
    ],
  );
}

/** Moves the cached balances along with a posting. */
async function moveBalance(tx: Tx, key: PayeeKey, moves: Moves): Promise<void> {
  const { available = 0n, reserved = 0n } = moves;
  await tx.query(
    `update payee_accounts set available = available + $5, reserved = reserved + $6 where ${ACCOUNT_KEY}`,
    [...accountKey(key), formatPaise(available), formatPaise(reserved)],
  );
}

export const PAYOUT_COLUMNS = `p.payout_id as "payoutId", p.tenant_id as "tenantId", p.side, p.payee, p.currency, p.user_id as "userId",
  p.amount::text, p.status, p.creation_request_id as "creationRequestId", p.agcod_endpoint as endpoint, p.agcod_region as region,
  p.partner_id as "partnerId", p.attempts, p.intent_stored_at as "intentStoredAt", p.voucher_code as "voucherCode",
  p.sms_attempts as "smsAttempts", p.next_attempt_at as "leaseUntil"`;

export type PayoutRow = Omit<Payout, 'amount' | 'intentStoredAt' | 'leaseUntil' | 'dueAt'> & {
  amount: string;
  intentStoredAt: Date | null;
  leaseUntil: Date;
  dueAt: Date;
};

export function payoutOf(row: PayoutRow): Payout {
  return {
    ...row,
    amount: parsePaise(row.amount),
    intentStoredAt: row.intentStoredAt?.getTime() ?? null,
    leaseUntil: row.leaseUntil.getTime(),
    dueAt: row.dueAt.getTime(),
  };
}

/** No operator holds the payout or is cancelling its card, no switch stops it, and its payee is not blocked while no card can exist. */
const MAY_GO_ON = `held_by is null and cancelling_at is null and not ${isStopped('payouts.tenant_id')}
  and (card_may_exist or not ${isBlocked('payouts')})`;

export type Claim = {
  readonly statuses: readonly PayoutStatus[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly leaseMs: number;
  /** Only payouts whose status is older than this; for a run that tries each once. */
  readonly statusBefore?: number;
};

/** Leases the payout that has been due longest: until the lease ends, no other run finds it. */
export async function claimDue(tx: Tx, claim: Claim): Promise<Payout | null> {
  const { statuses, now, leaseMs, statusBefore = now + 1 } = claim;
  const { rows } = await tx.query<PayoutRow>(
    `with due as (
       select payout_id, next_attempt_at from payouts
       where status in ('queued', 'sending', 'issued', 'held', 'error_soft') and status = any($1)
         and next_attempt_at <= $2 and status_at < $4 and ${MAY_GO_ON}
       order by next_attempt_at, payout_id limit 1 for update skip locked)
     update payouts p set next_attempt_at = $3 from due where p.payout_id = due.payout_id
     returning ${PAYOUT_COLUMNS}, due.next_attempt_at as "dueAt"`,
    [[...statuses], new Date(now), new Date(now + leaseMs), new Date(statusBefore)],
  );
  return rows[0] === undefined ? null : payoutOf(rows[0]);
}

/** Leases the oldest held payout, due or not: it is what the breaker probes with (money rule 16). */
export async function claimOldestHeld(tx: Tx, now: number, leaseMs: number): Promise<Payout | null> {
  const { rows } = await tx.query<PayoutRow>(
    `with oldest as (
       select payout_id, next_attempt_at from payouts where status = 'held' and ${MAY_GO_ON}
       order by created_at, payout_id limit 1 for update skip locked)
     update payouts p set next_attempt_at = $1 from oldest where p.payout_id = oldest.payout_id
     returning ${PAYOUT_COLUMNS}, oldest.next_attempt_at as "dueAt"`,
    [new Date(now + leaseMs)],
  );
  return rows[0] === undefined ? null : payoutOf(rows[0]);
}

/** Leases the oldest payout that is held and due all the same: while a breaker is open everything held waits for its probe, unless an operator retries it. */
export async function claimDueHeld(tx: Tx, now: number, leaseMs: number): Promise<Payout | null> {
  const { rows } = await tx.query<PayoutRow>(
    `with due as (
       select payout_id, next_attempt_at from payouts where status = 'held' and next_attempt_at <= $1 and ${MAY_GO_ON}
       order by created_at, payout_id limit 1 for update skip locked)
     update payouts p set next_attempt_at = $2 from due where p.payout_id = due.payout_id
     returning ${PAYOUT_COLUMNS}, due.next_attempt_at as "dueAt"`,
    [new Date(now), new Date(now + leaseMs)],
  );
  return rows[0] === undefined ? null : payoutOf(rows[0]);
}

/** Gives a lease back unused; the payout is due at `dueAt`, milliseconds since the Unix epoch. */
export async function releaseLease(tx: Tx, payout: Payout, dueAt: number): Promise<void> {
  await tx.query('update payouts set next_attempt_at = $3 where payout_id = $1 and next_attempt_at = $2', [
    payout.payoutId,
    new Date(payout.leaseUntil),
    new Date(dueAt),
  ]);
}

/**
 * Commits that a call is about to be made: `sending` and `card_may_exist` together (money rule 14), with its attempt's number.
 * @returns the attempt's number, or null if the payout is no longer as it was claimed (cancelled, held, stopped, or claimed by another after the lease)
 */
export async function beginAttempt(tx: Tx, payout: Payout, now: number, leaseMs: number): Promise<number | null> {
  const { rows } = await tx.query<{ attempts: number }>(
    `update payouts set status = 'sending', card_may_exist = true, attempts = attempts + 1,
       first_attempt_at = coalesce(first_attempt_at, $4), intent_stored_at = coalesce(intent_stored_at, $4),
       next_attempt_at = $5, status_at = case when status = 'sending' then status_at else $4 end
     where payout_id = $1 and next_attempt_at = $2 and status = $3 and ${MAY_GO_ON} returning attempts`,
    [payout.payoutId, new Date(payout.leaseUntil), payout.status, new Date(now), new Date(now + leaseMs)],
  );
  return rows[0]?.attempts ?? null;
}

/** An answer is applied only while the payout is still `sending` with that attempt's number (money rule 15). */
const STILL_SENDING = `payout_id = $1 and status = 'sending' and attempts = $2`;

/** Locks the payee's account before its payouts are touched: reversals take the two in this order (money rule 11). */
export async function lockAccount(tx: Tx, key: PayeeKey): Promise<void> {
  const { rowCount } = await tx.query(`select 1 from payee_accounts where ${ACCOUNT_KEY} for update`, accountKey(key));
  if (rowCount === 0) throw new Error(`payee ${key.payee} of tenant ${key.tenantId} has no account`);
}

/** True if another payout has that card: an answer that says it is this one's too is not believed (invariant I5). */
export async function isCardOfAnother(tx: Tx, payoutId: string, gcId: string): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from payouts where gc_id = $2 and payout_id <> $1', [payoutId, gcId]);
  return rowCount > 0;
}

/** The card is there: its code is kept encrypted, the reservation becomes a voucher bought. False if the answer came too late. */
export async function markIssued(
  tx: Tx,
  payout: Payout,
  attempt: number,
  card: { gcId: string; voucherCode: string },
  now: number,
  leaseMs: number,
): Promise<boolean> {
  await lockAccount(tx, payout);
  const { rowCount } = await tx.query(
    `update payouts set status = 'issued', gc_id = $3, voucher_code = $4, issued_at = $5, status_at = $5,
       next_attempt_at = $6, error_code = null, error_type = null
     where ${STILL_SENDING}`,
    [payout.payoutId, attempt, card.gcId, card.voucherCode, new Date(now), new Date(now + leaseMs)],
  );
  if (rowCount === 0) return false;
  const moves = { reserved: -payout.amount, vouchers: payout.amount };
  await insertPostings(tx, moved(payout, 'issue', eventIds.issue(payout.payoutId), moves), now);
  await moveBalance(tx, payout, moves);
  return true;
}

export type Waiting = {
  readonly to: 'sending' | 'held' | 'error_soft';
  readonly attempts: number;
  /** Milliseconds since the Unix epoch. */
  readonly nextAttemptAt: number;
  readonly error: { readonly code: string; readonly type: string } | null;
};

/** The payout waits with its reservation, to be asked for again with the same id. False if the answer came too late. */
export async function markWaiting(
  tx: Tx,
  payout: Payout,
  attempt: number,
  waiting: Waiting,
  now: number,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update payouts set status = $3, attempts = $4, next_attempt_at = $5, error_code = coalesce($6, error_code),
       error_type = coalesce($7, error_type), status_at = case when $3 = 'sending' then status_at else $8 end
     where ${STILL_SENDING}`,
    [
      payout.payoutId,
      attempt,
      waiting.to,
      waiting.attempts,
      new Date(waiting.nextAttemptAt),
      waiting.error?.code ?? null,
      waiting.error?.type ?? null,
      new Date(now),
    ],
  );
  return rowCount === 1;
}

export type Returned =
  | { readonly to: 'error_hard'; readonly error: { readonly code: string; readonly type: string } }
  | { readonly to: 'cancelled'; readonly gcId: string };

/**
 * There is certainly no live card: the reservation goes back to the payee, once. What the payee owes is taken from it first, as from any money that
 * becomes available. False if the answer came too late.
 */
export async function markReturned(
  tx: Tx,
  payout: Payout,
  attempt: number,
  returned: Returned,
  now: number,
): Promise<boolean> {
  await lockAccount(tx, payout);
  const error = returned.to === 'error_hard' ? returned.error : null;
  const { rowCount } = await tx.query(
    `update payouts set status = $3, card_may_exist = false, status_at = $4, gc_id = $5, error_code = $6, error_type = $7
     where ${STILL_SENDING}`,
    [
      payout.payoutId,
      attempt,
      returned.to,
      new Date(now),
      returned.to === 'cancelled' ? returned.gcId : null,
      error?.code ?? null,
      error?.type ?? null,
    ],
  );
  if (rowCount === 0) return false;
  await returnMoney(tx, payout, 'reserved', now);
  return true;
}

/**
 * A payout's money becomes available again, works off what the payee owes, and the rewards behind it are free to be paid by another payout. The
 * payee's account and the payout are locked, and the payout is over.
 */
export async function returnMoney(
  tx: Tx,
  payout: PayeeKey & Pick<Payout, 'payoutId' | 'amount'>,
  from: 'reserved' | 'voucher',
  now: number,
): Promise<void> {
  const { rows } = await tx.query<{ convId: bigint; occurredAt: Date; amount: string }>(
    `select l.conv_id as "convId", l.created_at as "occurredAt", i.amount::text from payout_items i
     join ledger l on l.led_id = i.led_id and l.tenant_id = i.tenant_id
     where i.payout_id = $1 and i.returned_at is null and l.tenant_id = $2`,
    [payout.payoutId, payout.tenantId],
  );
  const items = rows.map((row) => ({ convId: row.convId, amount: parsePaise(row.amount) }));
  const { tenantId, side, payee, currency } = payout;
  const key = { tenantId, side, payee, currency };
  const states = await lockPayees(
    tx,
    [{ ...key, taken: 0n, given: payout.amount }],
    rows.map(({ convId, occurredAt }) => ({ ...key, convId, occurredAt: occurredAt.getTime() })),
  );
  const settlement = noSettlement();
  for (const state of states.values()) giveBack(settlement, state, { ...payout, items }, from);
  await tx.query('update payout_items set returned_at = $2 where payout_id = $1 and returned_at is null', [
    payout.payoutId,
    new Date(now),
  ]);
  await writeSettlement(tx, states, settlement, now);
}

/** The breaker is open: everything held waits until then. */
export async function postponeHeld(tx: Tx, until: number): Promise<void> {
  await tx.query(
    `update payouts set next_attempt_at = $1 where payout_id in
       (select payout_id from payouts where status = 'held' and held_by is null and next_attempt_at < $1 order by payout_id for update skip locked)`,
    [new Date(until)],
  );
}

/** The breaker has closed: everything held is due. */
export async function resumeHeld(tx: Tx, now: number): Promise<number> {
  const { rowCount } = await tx.query(
    `update payouts set next_attempt_at = $1 where payout_id in
       (select payout_id from payouts where status = 'held' and held_by is null and next_attempt_at > $1 order by payout_id for update skip locked)`,
    [new Date(now)],
  );
  return rowCount;
}

export type Recipient = { readonly phone: string; readonly language: string };

/**
 * Commits that an SMS is about to be sent, so that after a crash it is known that one may have gone out (fault 42).
 * @returns who receives it and the try's number, or null if the payout is no longer ours to deliver
 */
export async function beginSms(
  tx: Tx,
  payout: Payout,
  now: number,
  leaseMs: number,
): Promise<{ recipient: Recipient | null; attempt: number; voucherCode: string } | null> {
  const { rows } = await tx.query<{ attempt: number; voucherCode: string }>(
    `update payouts set sms_attempts = sms_attempts + 1, sms_reference = payout_id::text || '-' || (sms_attempts + 1),
       next_attempt_at = $3
     where payout_id = $1 and status = 'issued' and next_attempt_at = $2 and ${MAY_GO_ON}
     returning sms_attempts as attempt, voucher_code as "voucherCode"`,
    [payout.payoutId, new Date(payout.leaseUntil), new Date(now + leaseMs)],
  );
  if (rows[0] === undefined) return null;
  return { ...rows[0], recipient: await recipientOfMessage(tx, payout.userId) };
}

/** Where a user's messages go; null for one without a phone. */
export async function recipientOfMessage(tx: Tx, userId: string): Promise<Recipient | null> {
  const { rows } = await tx.query<Recipient>(
    'select phone, language from users where user_id = $1 and phone is not null',
    [userId],
  );
  return rows[0] ?? null;
}

/** The SMS did not go out: the payout stays `issued` and is tried again. */
export async function smsFailed(tx: Tx, payoutId: string, attempt: number, nextAttemptAt: number): Promise<void> {
  await tx.query(
    `update payouts set next_attempt_at = $3 where payout_id = $1 and status = 'issued' and sms_attempts = $2`,
    [payoutId, attempt, new Date(nextAttemptAt)],
  );
}

/**
 * The SMS was accepted: the payout is paid and its code erased in one step, and every reward that is now fully paid says so (money rule 12).
 * False if it was paid already, or its card is being cancelled.
 */
export async function markPaid(tx: Tx, payout: Payout, now: number): Promise<boolean> {
  await lockAccount(tx, payout);
  const { rowCount } = await tx.query(
    `update payouts set status = 'paid', paid_at = $2, status_at = $2, voucher_code = null
     where payout_id = $1 and status = 'issued' and cancelling_at is null`,
    [payout.payoutId, new Date(now)],
  );
  if (rowCount === 0) return false;
  if (payout.side === 'shopper') await markLedgerPaid(tx, payout, now);
  return true;
}

async function markLedgerPaid(tx: Tx, payout: Payout, now: number): Promise<void> {
  const { rows } = await tx.query<{ ledId: bigint }>(
    'select led_id as "ledId" from payout_items where payout_id = $1 and returned_at is null',
    [payout.payoutId],
  );
  await tellPaid(tx, { ledIds: rows.map(({ ledId }) => ledId), tenantIds: [payout.tenantId] }, now);
}

/** Payouts whose outcome has been unknown since before `before` (milliseconds since the Unix epoch): rule 15 pages for them. */
export async function unknownSince(tx: Tx, before: number, limit: number): Promise<string[]> {
  const { rows } = await tx.query<{ payoutId: string }>(
    `select payout_id as "payoutId" from payouts
     where status in ('sending', 'error_soft') and least(first_attempt_at, status_at) < $1 order by payout_id limit $2`,
    [new Date(before), limit],
  );
  return rows.map(({ payoutId }) => payoutId);
}

/**
 * How far the database knows of payouts that may have been bought: `waiting` has no call yet, `known` has had one or is over, and what is in no list is
 * not in the database at all.
 */
export async function purchasesAsKnown(
  tx: Tx,
  payoutIds: readonly string[],
): Promise<{ known: Set<string>; waiting: Set<string> }> {
  const { rows } = await tx.query<{ payoutId: string; isWaiting: boolean }>(
    `select payout_id as "payoutId", intent_stored_at is null and status in ('queued', 'held') as "isWaiting"
     from payouts where payout_id = any($1::uuid[])`,
    [[...payoutIds]],
  );
  const idsOf = (isWaiting: boolean) =>
    new Set(rows.filter((row) => row.isWaiting === isWaiting).map(({ payoutId }) => payoutId));
  return { known: idsOf(false), waiting: idsOf(true) };
}

/**
 * A payout without a call that may have been bought already, in a time the database has lost, becomes one whose outcome is unknown (money rule 17); what an
 * operator holds stays held. False if there is no such payout.
 */
export async function markRecalled(tx: Tx, payoutId: string, now: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update payouts set status = case when held_by is null then 'sending' else status end, card_may_exist = true, attempts = attempts + 1,
       first_attempt_at = $2, intent_stored_at = $2, next_attempt_at = $2, status_at = $2
     where payout_id = $1 and status in ('queued', 'held') and intent_stored_at is null`,
    [payoutId, new Date(now)],
  );
  return rowCount === 1;
}

/** True if the database has the payout, whatever became of it. */
export async function isPayout(tx: Tx, payoutId: string): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from payouts where payout_id = $1', [payoutId]);
  return rowCount === 1;
}
