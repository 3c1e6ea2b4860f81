import type { REWARD_STATUSES } from '../../contracts/rewards.ts';
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
  /** The shopper's confirmed balance at that tenant in that currency, reserved for a payout or not. */
  payable: string;
};

/**
 * A shopper's rewards and their amendments in every tenant, newest first, from behind `after`: a conversion's time in microseconds since the epoch, and
 * the ledger id that ties are broken by. Runs in `withUser`.
 */
export async function rewardsOfUser(
  tx: Tx,
  params: { user_id: string; after?: { at: bigint; id: bigint } | undefined; limit: number },
): Promise<(RewardRow & { at: bigint })[]> {
  const { rows } = await tx.query<RewardRow & { at: bigint }>(
    `select l.led_id, l.user_amount as amount, l.currency, l.status, o.brand, l.release_at, l.created_at, ${microsecondsOf('l.created_at')} as at,
       coalesce(a.available + a.reserved, 0) as payable
     from ledger l
     left join conversions c on c.conv_id = l.conv_id and c.created_at = l.created_at
     left join offers o on o.offer_id = c.offer_id
     left join payee_accounts a
       on a.tenant_id = l.tenant_id and a.side = 'shopper' and a.payee = l.user_id and a.currency = l.currency
     where l.user_id = $1 and ($2::bigint is null or (l.created_at, l.led_id) < (${fromMicroseconds('$2')}, $3::bigint))
     order by l.created_at desc, l.led_id desc limit $4`,
    [params.user_id, params.after?.at ?? null, params.after?.id ?? null, params.limit],
  );
  return rows;
}
