import type { CONVERSION_STATUSES } from '../../contracts/conversions.ts';
import type { REWARD_STATUSES } from '../../contracts/rewards.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export type ConversionRow = {
  conv_id: bigint;
  click_id: bigint;
  link_id: string;
  campaign_id: string;
  offer_id: number;
  brand: string | null;
  txn_id: string | null;
  order_value: string | null;
  net_commission: string;
  currency: string;
  status: (typeof CONVERSION_STATUSES)[number];
  country: string | null;
  click_country: string | null;
  device: string | null;
  sub_id: string | null;
  created_at: Date;
  received_at: Date;
  /** As JSON: times in PostgreSQL's words, amounts as text. */
  rewards: RewardJson[];
  history: HistoryJson[];
};

export type RewardJson = {
  led_id: string;
  user_amount: string;
  creator_amount: string;
  user_pct: string;
  currency: string;
  status: (typeof REWARD_STATUSES)[number];
  reason: string | null;
  release_at: string;
  status_at: string;
};

export type HistoryJson = {
  at: string;
  source: 'postback' | 'poll' | 'csv' | 'operator' | 'books';
  said: string | null;
  outcome: string;
  detail: string | null;
};

const LONGEST_HISTORY = 50;

/** Events of one conversion and step that are looked for in the journal: it is released and reversed once, more often only where operators revive it. */
const MOST_OF_A_KIND = 9;

// What was heard of the conversion, and what the books did with its reward: the journal's events by their ids, and the payouts of the shopper's side.
const HISTORY = `
  select p.received_at as at, p.postback_id as tie, p.source, p.raw ->> 'status' as said, p.outcome, p.detail
  from postbacks p where p.conv_id = c.conv_id and p.tenant_id = c.tenant_id
  union all
  select min(j.created_at), 9223372036854775806, 'books', null, case j.kind when 'release' then 'confirmed' else 'reversed' end, null
  from journal_entries j
  where j.tenant_id = c.tenant_id and j.event_id = any (
    array(select 'l' || l.led_id || '.release.' || n from ledger l, generate_series(0, ${MOST_OF_A_KIND}) n
          where l.conv_id = c.conv_id and l.tenant_id = c.tenant_id and l.created_at = c.created_at and l.seq = 0)
    || array(select 'c' || c.conv_id || '.reversal.' || n from generate_series(0, ${MOST_OF_A_KIND}) n))
  group by j.event_id, j.kind
  union all
  select max(y.paid_at), 9223372036854775807, 'books', null, 'paid', null
  from ledger l
  join payout_items i on i.led_id = l.led_id and i.tenant_id = l.tenant_id and i.side = 'shopper' and i.returned_at is null
  join payouts y on y.payout_id = i.payout_id and y.tenant_id = i.tenant_id and y.status = 'paid'
  where l.conv_id = c.conv_id and l.tenant_id = c.tenant_id and l.created_at = c.created_at and l.seq = 0
  group by l.led_id having sum(i.amount) >= max(l.user_amount)`;

const SELECT = `
  select c.conv_id, c.click_id, c.link_id, c.campaign_id, c.offer_id, o.brand, c.txn_id, c.order_value, c.net_commission, c.currency, c.status, c.country,
    c.click_country, k.device, k.sub_id, c.created_at, c.received_at, ${microsecondsOf('c.created_at')} as at,
    (select coalesce(jsonb_agg(jsonb_build_object('led_id', l.led_id::text, 'user_amount', l.user_amount::text, 'creator_amount', l.creator_amount::text,
       'user_pct', l.user_pct::text, 'currency', l.currency, 'status', l.status, 'reason', l.reason, 'release_at', l.release_at,
       'status_at', l.status_at) order by l.seq), '[]')
     from ledger l where l.conv_id = c.conv_id and l.tenant_id = c.tenant_id and l.created_at = c.created_at) as rewards,
    (select coalesce(jsonb_agg(jsonb_build_object('at', h.at, 'source', h.source, 'said', h.said, 'outcome', h.outcome, 'detail', h.detail)
       order by h.at, h.tie), '[]') from (${HISTORY} order by at desc, tie desc limit ${LONGEST_HISTORY}) h) as history
  from conversions c
  left join offers o on o.offer_id = c.offer_id
  left join clicks k on k.tenant_id = c.tenant_id and k.click_id = c.click_id and k.created_at = id_time(c.click_id)`;

/** A tenant's conversions, newest first, from behind `after`: a conversion's time in microseconds since the epoch, and the id that ties are broken by. */
export async function listConversions(
  tx: Tx,
  params: {
    tenant_id: string;
    status?: ConversionRow['status'] | undefined;
    reward_status?: RewardJson['status'] | undefined;
    link_id?: string | undefined;
    campaign_id?: string | undefined;
    offer_id?: number | undefined;
    order_id?: string | undefined;
    from?: Date | undefined;
    to?: Date | undefined;
    after?: { at: bigint; id: bigint } | undefined;
    limit: number;
  },
): Promise<(ConversionRow & { at: bigint })[]> {
  const { rows } = await tx.query<ConversionRow & { at: bigint }>(
    `${SELECT}
     where c.tenant_id = $1 and ($2::text is null or c.status = $2) and ($3::uuid is null or c.link_id = $3)
       and ($4::uuid is null or c.campaign_id = $4) and ($5::int is null or c.offer_id = $5) and ($6::text is null or c.txn_id = $6)
       and ($7::timestamptz is null or c.created_at >= $7) and ($8::timestamptz is null or c.created_at < $8)
       and ($9::text is null or exists (select 1 from ledger l
         where l.conv_id = c.conv_id and l.tenant_id = c.tenant_id and l.created_at = c.created_at and l.seq = 0 and l.status = $9))
       and ($10::bigint is null or (c.created_at, c.conv_id) < (${fromMicroseconds('$10')}, $11::bigint))
     order by c.created_at desc, c.conv_id desc limit $12`,
    [
      params.tenant_id,
      params.status ?? null,
      params.link_id ?? null,
      params.campaign_id ?? null,
      params.offer_id ?? null,
      params.order_id ?? null,
      params.from ?? null,
      params.to ?? null,
      params.reward_status ?? null,
      params.after?.at ?? null,
      params.after?.id ?? null,
      params.limit,
    ],
  );
  return rows;
}

/** One of a tenant's conversions, or null. */
export async function conversionById(
  tx: Tx,
  params: { tenant_id: string; conv_id: bigint },
): Promise<ConversionRow | null> {
  const { rows } = await tx.query<ConversionRow>(`${SELECT} where c.tenant_id = $1 and c.conv_id = $2`, [
    params.tenant_id,
    params.conv_id,
  ]);
  return rows[0] ?? null;
}
