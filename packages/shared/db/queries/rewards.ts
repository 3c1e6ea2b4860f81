import type { REWARD_STATUSES } from '../../contracts/rewards.ts';
import type { PayoutStatus } from '../../domain/payout-state.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export type RewardRow = {
  led_id: bigint;
  amount: string;
  currency: string;
  status: (typeof REWARD_STATUSES)[number];
  brand: string | null;
  release_at: Date;
  created_at: Date;
  /** The network has approved the purchase. */
  is_approved: boolean;
  /** The shopper's confirmed balance at that tenant in that currency that no payout was made for yet. */
  available: string;
  /** The payout that a confirmed reward is on its way in; null for none. */
  payout_status: PayoutStatus | null;
  payout_due_at: Date | null;
  payout_is_held: boolean | null;
  /** A refused payout of the shopper's waits for an operator. */
  is_blocked: boolean;
  /** A kill switch stops the tenant's payouts. */
  is_stopped: boolean;
};

/**
 * A shopper's rewards and their amendments in every tenant, newest first, from behind `after`: a conversion's time in microseconds since the epoch, and
 * the ledger id that ties are broken by. Runs in `withUser`.
 */
export async function rewardsOfUser(
  tx: Tx,
  params: {
    user_id: string;
    tenant_id?: string | undefined;
    status?: RewardRow['status'] | undefined;
    currency?: string | undefined;
    from?: Date | undefined;
    to?: Date | undefined;
    after?: { at: bigint; id: bigint } | undefined;
    limit: number;
  },
): Promise<(RewardRow & { at: bigint })[]> {
  const { rows } = await tx.query<RewardRow & { at: bigint }>(
    `select l.led_id, l.user_amount as amount, l.currency, l.status, o.brand, l.release_at, l.created_at, ${microsecondsOf('l.created_at')} as at,
       coalesce(c.status = 'approved', false) as is_approved, coalesce(a.available, 0) as available,
       w.status as payout_status, w.next_attempt_at as payout_due_at, w.held_at is not null as payout_is_held,
       exists (select 1 from payouts b where b.payee = $1 and b.side = 'shopper' and b.status = 'error_hard' and b.resolved_at is null) as is_blocked,
       l.status = 'confirmed' and is_stopped('payouts', l.tenant_id) as is_stopped
     from ledger l
     left join conversions c on c.conv_id = l.conv_id and c.created_at = l.created_at
     left join offers o on o.offer_id = c.offer_id
     left join payee_accounts a
       on a.tenant_id = l.tenant_id and a.side = 'shopper' and a.payee = l.user_id and a.currency = l.currency
     left join lateral (
       select p.status, p.next_attempt_at, p.held_at from ledger s
       join payout_items i on i.led_id = s.led_id and i.side = 'shopper' and i.returned_at is null
       join payouts p on p.payout_id = i.payout_id and p.status in ('queued', 'sending', 'issued', 'held', 'error_soft')
       where l.status = 'confirmed' and s.conv_id = l.conv_id and s.tenant_id = l.tenant_id and s.created_at = l.created_at
       order by p.next_attempt_at, p.payout_id limit 1) w on true
     where l.user_id = $1 and ($2::bigint is null or (l.created_at, l.led_id) < (${fromMicroseconds('$2')}, $3::bigint))
       and ($5::uuid is null or l.tenant_id = $5) and ($6::text is null or l.status = $6) and ($7::text is null or l.currency = $7)
       and ($8::timestamptz is null or l.created_at >= $8) and ($9::timestamptz is null or l.created_at < $9)
     order by l.created_at desc, l.led_id desc limit $4`,
    [
      params.user_id,
      params.after?.at ?? null,
      params.after?.id ?? null,
      params.limit,
      params.tenant_id ?? null,
      params.status ?? null,
      params.currency ?? null,
      params.from ?? null,
      params.to ?? null,
    ],
  );
  return rows;
}

/** A shopper's sums in one currency, NUMERIC text. */
export type RewardTotalsRow = {
  currency: string;
  by_status: Partial<Record<RewardRow['status'], string>>;
  available: string;
  reserved: string;
  receivable: string;
};

/** A shopper's rewards in every tenant, summed by currency and status, beside what the accounts hold. Runs in `withUser`. */
export async function rewardTotals(tx: Tx, params: { user_id: string }): Promise<RewardTotalsRow[]> {
  const { rows } = await tx.query<RewardTotalsRow>(
    `with sums as (
       select currency, status, sum(user_amount)::text as amount from ledger where user_id = $1 group by currency, status
     ), accounts as (
       select currency, sum(available) as available, sum(reserved) as reserved, sum(receivable) as receivable
       from payee_accounts where side = 'shopper' and payee = $1 group by currency
     ), held as (
       select currency, jsonb_object_agg(status, amount) as by_status from sums group by currency
     )
     select currency, coalesce(h.by_status, '{}') as by_status, coalesce(a.available, 0)::numeric(16,2) as available,
       coalesce(a.reserved, 0)::numeric(16,2) as reserved, coalesce(a.receivable, 0)::numeric(16,2) as receivable
     from held h full join accounts a using (currency) order by currency`,
    [params.user_id],
  );
  return rows;
}

/** A line of a shopper's statement: a reward (or its amendment) by the time of the purchase, or a payout by the time it was paid. */
export type StatementRow = {
  kind: 'reward' | 'payout';
  id: string;
  at: Date;
  brand: string | null;
  status: string;
  amount: string;
  currency: string;
};

/** What happened to a shopper's rewards from `from` until before `to`, oldest first, at most `limit` lines. Runs in `withUser`. */
export async function statementOfUser(
  tx: Tx,
  params: { user_id: string; from: Date; to: Date; limit: number },
): Promise<StatementRow[]> {
  const { rows } = await tx.query<StatementRow>(
    `select 'reward' as kind, l.led_id::text as id, l.created_at as at, o.brand, l.status, l.user_amount as amount, l.currency
     from ledger l
     left join conversions c on c.conv_id = l.conv_id and c.created_at = l.created_at
     left join offers o on o.offer_id = c.offer_id
     where l.user_id = $1 and l.created_at >= $2 and l.created_at < $3
     union all
     select 'payout', p.payout_id::text, p.paid_at, null, p.status, p.amount, p.currency
     from payouts p where p.user_id = $1 and p.side = 'shopper' and p.paid_at >= $2 and p.paid_at < $3
     order by at, id limit $4`,
    [params.user_id, params.from, params.to, params.limit],
  );
  return rows;
}
