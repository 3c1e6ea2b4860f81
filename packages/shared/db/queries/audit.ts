import type { Tx } from '../types.ts';

/** One invariant: its query answers the rows that break it. */
export type Invariant = { readonly name: string; readonly says: string; readonly breaches: string };
export type Breach = {
  readonly invariant: string;
  readonly says: string;
  readonly count: number;
  readonly examples: string[];
};

/** What must hold at any quiet moment (fault matrix, I1 to I8; I9 asks AGCOD's own journal and is a test's). */
export const INVARIANTS: readonly Invariant[] = [
  {
    name: 'I1',
    says: 'the postings of every money event sum to zero per currency',
    breaches: `select event_id || ' ' || currency as what from journal_entries group by event_id, currency having sum(amount) <> 0`,
  },
  {
    name: 'I2',
    says: 'every cached balance equals the sum of its postings',
    breaches: `
      select coalesce(a.key, j.key) || ' cached ' || coalesce(a.balance, 0) || ' posted ' || coalesce(j.balance, 0) as what
      from (select side || ':' || bucket || ':' || tenant_id || ':' || payee as key, currency, balance from payee_accounts
            cross join lateral (values ('available', available), ('reserved', reserved), ('receivable', -receivable)) as b(bucket, balance)) a
      full join (select account as key, currency, sum(amount) as balance from journal_entries
                 where account ~ '^(shopper|creator):(available|reserved|receivable):' group by account, currency) j
        on j.key = a.key and j.currency = a.currency
      where coalesce(a.balance, 0) <> coalesce(j.balance, 0)`,
  },
  {
    name: 'I2 pending',
    says: 'the pending money of the ledger equals the postings to the pending accounts',
    breaches: `
      select coalesce(l.account, j.account) || ' ledger ' || coalesce(l.amount, 0) || ' posted ' || coalesce(j.amount, 0) as what
      from (select account, currency, sum(amount) as amount from (
              select 'shopper:pending:' || tenant_id || ':' || coalesce(user_id, visitor_id, '00000000-0000-0000-0000-000000000000') as account, currency,
                user_amount as amount from ledger where status in ('pending', 'review')
              union all
              select 'creator:pending:' || tenant_id || ':' || tenant_id, currency, creator_amount from ledger where status in ('pending', 'review')) x
            group by account, currency) l
      full join (select account, currency, sum(amount) as amount from journal_entries where account ~ '^(shopper|creator):pending:'
                 group by account, currency) j on j.account = l.account and j.currency = l.currency
      where coalesce(l.amount, 0) <> coalesce(j.amount, 0)`,
  },
  {
    name: 'I3',
    says: "nobody's available or reserved balance is below zero",
    breaches: `
      select account as what from journal_entries where account ~ '^(shopper|creator):(available|reserved):'
      group by account, currency having sum(amount) < 0`,
  },
  {
    name: 'I4',
    says: 'a conversion is credited at most once, and its ledger rows sum to its net commission',
    breaches: `
      select 'conversion ' || i.conv_id || ' has ' || count(l.*) filter (where l.seq = 0) || ' rewards, rows sum to '
             || coalesce(sum(l.user_amount + l.creator_amount), 0) || ' of ' || i.net_commission as what
      from conversion_identities i
      left join ledger l on l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at
      group by i.conv_id having count(l.*) filter (where l.seq = 0) <> 1 or sum(l.user_amount + l.creator_amount) <> i.net_commission`,
  },
  {
    name: 'I4 orders',
    says: 'an order id is held by a conversion that is alive',
    breaches: `
      select 'order of conversion ' || o.conv_id as what
      from (select conv_id from order_keys union all select conv_id from order_keys_past) o
      join conversion_identities i on i.conv_id = o.conv_id
      join ledger l on l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at and l.seq = 0
      where l.status in ('rejected', 'reversed')`,
  },
  {
    name: 'I5',
    says: 'a payout has at most one live gift card, and no two payouts share one',
    breaches: `select 'card of payouts ' || string_agg(payout_id::text, ' ') as what from payouts where gc_id is not null group by gc_id having count(*) > 1`,
  },
  {
    name: 'I6',
    says: 'the money reserved is the money of open payouts',
    breaches: `
      select coalesce(a.tenant_id, p.tenant_id) || ' ' || coalesce(a.side, p.side) || ' ' || coalesce(a.payee, p.payee) || ' reserved '
             || coalesce(a.reserved, 0) || ' open ' || coalesce(p.amount, 0) as what
      from payee_accounts a
      full join (select tenant_id, side, payee, currency, sum(amount) as amount from payouts
                 where status in ('queued', 'sending', 'held', 'error_soft') group by tenant_id, side, payee, currency) p
        on p.tenant_id = a.tenant_id and p.side = a.side and p.payee = a.payee and p.currency = a.currency
      where coalesce(a.reserved, 0) <> coalesce(p.amount, 0)`,
  },
  {
    name: 'I7',
    says: 'a paid reward is covered by paid vouchers, worked-off receivables or nothing left to pay',
    breaches: `
      select 'conversion ' || conv_id || ' is paid with ' || covered || ' of ' || net as what
      from (
        select l.conv_id,
          (select sum(x.user_amount) from ledger x
            where x.conv_id = l.conv_id and x.tenant_id = l.tenant_id and x.created_at = l.created_at and x.status = 'paid') as net,
          (select coalesce(sum(i.amount), 0) from ledger x join payout_items i on i.led_id = x.led_id and i.side = 'shopper' and i.returned_at is null
            where x.conv_id = l.conv_id and x.tenant_id = l.tenant_id and x.created_at = l.created_at) as covered
        from ledger l where l.status = 'paid' and l.seq = 0) p
      where covered < net`,
  },
  {
    name: 'I8',
    says: 'every conversion comes from a postback that is kept, and every open unmatched one has its postback',
    breaches: `
      select 'unmatched ' || u.unmatched_id as what from unmatched_conversions u
      where not exists (select 1 from postbacks p where p.postback_id = u.unmatched_id and p.received_at = id_time(u.unmatched_id))
      union all
      select 'conversion ' || i.conv_id from conversion_identities i
      where not exists (select 1 from postbacks p where p.conv_id = i.conv_id)`,
  },
  {
    name: 'I10',
    says: 'what a payee may be paid stands on rewards that are not used up',
    breaches: `
      select a.tenant_id || ' ' || a.payee || ' available ' || a.available || ' of rewards ' || coalesce(s.open, 0) as what
      from payee_accounts a
      left join (
        select tenant_id, user_id, currency, sum(greatest(net - covered, 0)) as open from (
          select l.tenant_id, l.user_id, l.currency, l.conv_id,
            sum(l.user_amount) as net,
            coalesce(sum((select sum(i.amount) from payout_items i where i.led_id = l.led_id and i.side = 'shopper' and i.returned_at is null)), 0) as covered
          from ledger l where l.status in ('confirmed', 'paid') and l.user_id is not null
          group by l.tenant_id, l.user_id, l.currency, l.conv_id) x
        group by tenant_id, user_id, currency) s on s.tenant_id = a.tenant_id and s.user_id = a.payee and s.currency = a.currency
      where a.side = 'shopper' and a.available > coalesce(s.open, 0)`,
  },
  {
    name: 'clicks',
    says: 'every conversion has its click, as long as the month of the click is there',
    breaches: `
      select 'conversion ' || i.conv_id || ' of click ' || i.click_id as what from conversion_identities i
      where not exists (select 1 from clicks k where k.click_id = i.click_id and k.created_at = id_time(i.click_id))
        and to_regclass('public.clicks' || to_char(id_time(i.click_id) at time zone 'UTC', '_YYYYMM')) is not null`,
  },
];

const EXAMPLES = 5;

/** Checks every invariant; an empty answer is a clean one. */
export async function audit(tx: Tx, invariants: readonly Invariant[] = INVARIANTS): Promise<Breach[]> {
  const breaches: Breach[] = [];
  for (const { name, says, breaches: query } of invariants) {
    const { rows } = await tx.query<{ what: string; total: bigint }>(
      `select what, count(*) over () as total from (${query}) b order by what limit ${EXAMPLES}`,
    );
    const [first] = rows;
    if (first !== undefined)
      breaches.push({ invariant: name, says, count: Number(first.total), examples: rows.map((row) => row.what) });
  }
  return breaches;
}
