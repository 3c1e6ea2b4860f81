import type { ActionDecision, Steered } from '../../domain/payout-action.ts';
import type { PayoutStatus } from '../../domain/payout-state.ts';
import type { Delivery, MessageStatus } from '../../domain/voucher-message.ts';
import type { Tx } from '../types.ts';
import {
  lockAccount,
  PAYOUT_COLUMNS,
  type PayeeKey,
  type Payout,
  type PayoutRow,
  payoutOf,
  returnMoney,
} from './payouts.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

/** True if the user is an operator now (money rule 24). For workers that act for operators. */
export async function isOperatorNow(tx: Tx, userId: string): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from operators where user_id = $1', [userId]);
  return rowCount === 1;
}

export type SteeredPayout = Payout & { readonly state: Steered; readonly gcId: string | null };

type SteeredRow = PayoutRow & {
  cardMayExist: boolean;
  heldBy: string | null;
  cancellingAt: Date | null;
  resolvedAt: Date | null;
  issuedAt: Date | null;
  gcId: string | null;
};

const STEERED = `${PAYOUT_COLUMNS}, p.next_attempt_at as "dueAt", p.card_may_exist as "cardMayExist", p.held_by as "heldBy",
  p.cancelling_at as "cancellingAt", p.resolved_at as "resolvedAt", p.issued_at as "issuedAt", p.gc_id as "gcId"`;

/** Locks a payout behind its payee's account, in the order of money rule 11. Null if there is no such payout. */
export async function lockPayout(tx: Tx, payoutId: string): Promise<SteeredPayout | null> {
  const keys = await tx.query<PayeeKey>(
    'select tenant_id as "tenantId", side, payee, currency from payouts where payout_id = $1',
    [payoutId],
  );
  const [key] = keys.rows;
  if (key === undefined) return null;
  await lockAccount(tx, key);
  const { rows } = await tx.query<SteeredRow>(
    `select ${STEERED} from payouts p where p.payout_id = $1 for update of p`,
    [payoutId],
  );
  return rows[0] === undefined ? null : steeredOf(rows[0]);
}

function steeredOf(row: SteeredRow): SteeredPayout {
  const { cardMayExist, heldBy, cancellingAt, resolvedAt, issuedAt, gcId, ...rest } = row;
  const payout = payoutOf(rest);
  return {
    ...payout,
    gcId,
    state: {
      status: payout.status,
      cardMayExist,
      isHeldByOperator: heldBy !== null,
      isCancelling: cancellingAt !== null,
      isResolved: resolvedAt !== null,
      nextAttemptAt: payout.leaseUntil,
      issuedAt: issuedAt?.getTime() ?? null,
    },
  };
}

/**
 * Carries a decision about a locked payout out, as far as the database can; a card is cancelled by its own steps.
 * @param now milliseconds since the Unix epoch
 */
export async function applyAction(
  tx: Tx,
  payout: SteeredPayout,
  decision: Exclude<ActionDecision, { kind: 'refused' | 'cancel_card' }>,
  operatorId: string,
  now: number,
): Promise<PayoutStatus> {
  const time = new Date(now);
  const to = 'to' in decision ? decision.to : payout.status;
  const statusAt = 'status_at = case when status = $2 then status_at else $3 end';
  switch (decision.kind) {
    case 'hold':
      await tx.query(`update payouts set status = $2, ${statusAt}, held_at = $3, held_by = $4 where payout_id = $1`, [
        payout.payoutId,
        to,
        time,
        operatorId,
      ]);
      return to;
    case 'release':
    case 'retry':
      await tx.query(
        `update payouts set status = $2, ${statusAt}, held_at = null, held_by = null, next_attempt_at = $4 where payout_id = $1`,
        [payout.payoutId, to, time, new Date(decision.nextAttemptAt)],
      );
      return to;
    case 'resolve':
      await tx.query('update payouts set resolved_at = $2, resolved_by = $3 where payout_id = $1', [
        payout.payoutId,
        time,
        operatorId,
      ]);
      return to;
    case 'cancel':
      await tx.query(
        `update payouts set status = 'cancelled', status_at = $2, held_at = null, held_by = null where payout_id = $1`,
        [payout.payoutId, time],
      );
      await returnMoney(tx, payout, 'reserved', now);
      return 'cancelled';
  }
}

/** Commits that Amazon is about to be asked to cancel the card of a locked payout: from here on nothing delivers it. */
export async function beginCancelling(tx: Tx, payoutId: string, now: number, leaseMs: number): Promise<void> {
  await tx.query('update payouts set cancelling_at = $2, next_attempt_at = $3 where payout_id = $1', [
    payoutId,
    new Date(now),
    new Date(now + leaseMs),
  ]);
}

/** Leases a payout whose card was to be cancelled, and nobody knows whether it was; null if there is none. */
export async function claimCancelling(tx: Tx, now: number, leaseMs: number): Promise<Payout | null> {
  const { rows } = await tx.query<PayoutRow>(
    `with due as (
       select payout_id, next_attempt_at from payouts where status = 'issued' and cancelling_at is not null and next_attempt_at <= $1
       order by cancelling_at, payout_id limit 1 for update skip locked)
     update payouts p set next_attempt_at = $2 from due where p.payout_id = due.payout_id
     returning ${PAYOUT_COLUMNS}, due.next_attempt_at as "dueAt"`,
    [new Date(now), new Date(now + leaseMs)],
  );
  return rows[0] === undefined ? null : payoutOf(rows[0]);
}

/**
 * Amazon has cancelled the card before its code was delivered: the payout is over, its code erased, its money the payee's again. False if it was not
 * being cancelled any more.
 */
export async function markCardCancelled(
  tx: Tx,
  payout: PayeeKey & Pick<Payout, 'payoutId' | 'amount'>,
  now: number,
): Promise<boolean> {
  await lockAccount(tx, payout);
  const { rowCount } = await tx.query(
    `update payouts set status = 'cancelled', status_at = $2, voucher_code = null, card_may_exist = false, held_at = null, held_by = null
     where payout_id = $1 and status = 'issued' and cancelling_at is not null`,
    [payout.payoutId, new Date(now)],
  );
  if (rowCount === 0) return false;
  await returnMoney(tx, payout, 'voucher', now);
  return true;
}

/** The card is alive: the payout goes on and is due at once. */
export async function markNotCancelled(tx: Tx, payoutId: string, now: number): Promise<void> {
  await tx.query(
    `update payouts set cancelling_at = null, next_attempt_at = $2 where payout_id = $1 and status = 'issued' and cancelling_at is not null`,
    [payoutId, new Date(now)],
  );
}

/** A voucher that a shopper may be shown again: the payout if it is theirs, whatever its status. */
export async function payoutOfUser(
  tx: Tx,
  payoutId: string,
  userId: string,
): Promise<(Payout & { gcId: string | null }) | null> {
  const { rows } = await tx.query<PayoutRow & { gcId: string | null }>(
    `select ${PAYOUT_COLUMNS}, p.next_attempt_at as "dueAt", p.gc_id as "gcId" from payouts p where p.payout_id = $1 and p.user_id = $2`,
    [payoutId, userId],
  );
  const [row] = rows;
  return row === undefined ? null : { ...payoutOf(row), gcId: row.gcId };
}

/** What the SMS gateway reported of a voucher's message; `unreported`: it took the message, and no report has come. */
export type DeliveryFilter = Delivery | 'unreported';

/** A payout as operators and its own receiver see it: never a code, not even encrypted. */
export type ListedPayout = {
  payout_id: string;
  tenant_id: string;
  side: 'shopper' | 'creator';
  user_id: string;
  amount: string;
  currency: string;
  status: PayoutStatus;
  attempts: number;
  sms_attempts: number;
  error_code: string | null;
  error_type: string | null;
  creation_request_id: string;
  gc_id: string | null;
  next_attempt_at: Date;
  held_at: Date | null;
  held_by: string | null;
  cancelling: boolean;
  resolved_at: Date | null;
  created_at: Date;
  issued_at: Date | null;
  paid_at: Date | null;
  /** Of its messages: the one that arrived, else the last. Operators only. */
  message_status: MessageStatus | null;
  message_reason: string | null;
  message_at: Date | null;
  delivery: Delivery | null;
};

/** Payouts, newest first, from behind `after` (microseconds since the epoch, and the id that ties are broken by). Runs in `withOperator` or `withUser`. */
export async function listPayouts(
  tx: Tx,
  params: {
    status?: PayoutStatus | undefined;
    tenant_id?: string | undefined;
    user_id?: string | undefined;
    delivery?: DeliveryFilter | undefined;
    after?: { at: bigint; id: string } | undefined;
    limit: number;
  },
): Promise<(ListedPayout & { at: bigint })[]> {
  const { rows } = await tx.query<ListedPayout & { at: bigint }>(
    `select p.payout_id, p.tenant_id, p.side, p.user_id, p.amount::text, p.currency, p.status, p.attempts, p.sms_attempts, p.error_code, p.error_type,
       p.creation_request_id, p.gc_id, p.next_attempt_at, p.held_at, p.held_by, p.cancelling_at is not null and p.status = 'issued' as cancelling,
       p.resolved_at, p.created_at, p.issued_at, p.paid_at, ${microsecondsOf('p.created_at')} as at, m.status as message_status,
       coalesce(m.delivery_reason, m.reason) as message_reason, coalesce(m.delivery_at, m.status_at) as message_at, m.delivery
     from payouts p
     left join lateral (select v.* from voucher_messages v where v.payout_id = p.payout_id
       order by v.delivery = 'delivered' desc nulls last, v.number desc limit 1) m on true
     where ($1::text is null or p.status = $1) and ($2::uuid is null or p.tenant_id = $2) and ($3::uuid is null or p.user_id = $3)
       and ($4::bigint is null or (p.created_at, p.payout_id) < (${fromMicroseconds('$4')}, $5::uuid))
       and ($7::text is null or ($7 = 'unreported' and m.status in ('accepted', 'unknown') and m.delivery is null) or m.delivery = $7)
     order by p.created_at desc, p.payout_id desc limit $6`,
    [
      params.status ?? null,
      params.tenant_id ?? null,
      params.user_id ?? null,
      params.after?.at ?? null,
      params.after?.id ?? null,
      params.limit,
      params.delivery ?? null,
    ],
  );
  return rows;
}
