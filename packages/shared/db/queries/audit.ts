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
    name: 'I2 network',
    says: 'the journal has the network owe for a conversion what it is worth while it counts, and nothing after',
    breaches: `
      select 'conversion ' || coalesce(w.conv_id, j.conv_id) || ' is worth ' || coalesce(w.amount, 0) || ' posted ' || coalesce(j.amount, 0) as what
      from (select i.conv_id, case when l.status in ('pending', 'review', 'confirmed', 'paid') then i.net_commission + i.platform_fee else 0 end as amount
            from conversion_identities i
            join ledger l on l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at and l.seq = 0) w
      full join (select substring(event_id from '^c([0-9]+)[.]')::bigint as conv_id, -sum(amount) as amount from journal_entries
                 where account like 'network:%' group by 1) j on j.conv_id = w.conv_id
      where coalesce(w.amount, 0) <> coalesce(j.amount, 0)`,
  },
  {
    name: 'I2 cards',
    says: 'the money spent on vouchers is the money of payouts issued and paid',
    breaches: `
      select coalesce(p.tenant_id, j.tenant_id) || ' payouts ' || coalesce(p.amount, 0) || ' posted ' || coalesce(j.amount, 0) as what
      from (select tenant_id, currency, sum(amount) as amount from payouts where status in ('issued', 'paid') group by tenant_id, currency) p
      full join (select tenant_id, currency, sum(amount) as amount from journal_entries where account like 'vouchers:%' group by tenant_id, currency) j
        on j.tenant_id = p.tenant_id and j.currency = p.currency
      where coalesce(p.amount, 0) <> coalesce(j.amount, 0)`,
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
    name: 'I4 split',
    says: "the shopper's part is the campaign's share of the net commission, cut off below the paisa",
    breaches: `
      select 'conversion ' || i.conv_id || ' gives the shopper ' || sum(l.user_amount) || ' of ' || i.net_commission as what
      from conversion_identities i
      join ledger l on l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at
      where i.expired_to is null group by i.conv_id
      having sum(l.user_amount) <> trunc(i.net_commission * max(l.user_pct) / 100, 2) or min(l.user_pct) <> max(l.user_pct)`,
  },
  {
    name: 'I4 ids',
    says: 'a conversion has one row of its own that says what its identity says, and the aliases of its ids are its own',
    breaches: `
      select 'conversion ' || i.conv_id as what from conversion_identities i
      where (select count(*) from conversions c where c.conv_id = i.conv_id and c.created_at = i.occurred_at and c.tenant_id = i.tenant_id
               and c.status = i.status and c.txn_id is not distinct from i.txn_id and c.network_id is not distinct from i.network_id) <> 1
        or (i.network_id is not null and not exists (select 1 from conversion_aliases a where a.conv_id = i.conv_id and a.alias = 'trackier:' || i.network_id))
        or (i.txn_id is not null and not exists (select 1 from conversion_aliases a where a.conv_id = i.conv_id
          and a.alias = 'click:' || i.click_id || ':' || i.link_id || ':' || coalesce(i.visitor_id::text, '-') || ':' || i.offer_id || ':'
            || coalesce(i.goal_id, '') || ':' || i.txn_id))`,
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
    name: 'I6 items',
    says: 'no payout is made up of more than its amount, and what is over is made up of nothing',
    breaches: `
      select 'payout ' || p.payout_id || ' of ' || p.amount || ' pays ' || sum(i.amount) as what
      from payouts p join payout_items i on i.payout_id = p.payout_id and i.returned_at is null
      group by p.payout_id having sum(i.amount) > case when p.status in ('error_hard', 'cancelled') then 0 else p.amount end`,
  },
  {
    name: 'I7 guards',
    says: 'what keeps history, amounts and state machines in the database is in force',
    breaches: `
      select g.relname || ' ' || g.tgname as what
      from (values ('journal_entries', 'journal_entries_balance'), ('journal_entries', 'journal_entries_are_history'),
              ('journal_entries', 'journal_entries_are_kept'), ('ledger', 'ledger_moves_by_its_machine'), ('ledger', 'ledger_starts_by_its_machine'),
              ('ledger', 'ledger_is_history'), ('ledger', 'ledger_is_kept'), ('conversions', 'conversions_keep_their_facts'),
              ('conversions', 'conversions_are_history'), ('conversion_identities', 'conversion_identities_stay'),
              ('conversion_identities', 'conversion_identities_are_history'), ('conversion_aliases', 'conversion_aliases_are_permanent'),
              ('payouts', 'payouts_move_by_their_machine'), ('payouts', 'payouts_are_history'), ('payout_items', 'payout_items_stay'),
              ('payout_items', 'payout_items_are_history'), ('postbacks', 'postbacks_stay'), ('postbacks', 'postbacks_are_history')) as g(relname, tgname)
      where not exists (select 1 from pg_trigger t where t.tgrelid = ('public.' || g.relname)::regclass and t.tgname = g.tgname and t.tgenabled in ('O', 'A'))
      union all
      select t.tgrelid::regclass || ' ' || t.tgname from pg_trigger t
      join pg_trigger parent on parent.oid = t.tgparentid
      where parent.tgrelid in ('public.ledger'::regclass, 'public.conversions'::regclass, 'public.postbacks'::regclass)
        and not t.tgisinternal and t.tgenabled not in ('O', 'A')
      union all
      select w || ' may ' || p || ' journal_entries' from unnest(array['hissaback_api', 'hissaback_ingest', 'hissaback_payout']) w,
        unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) p where has_table_privilege(w, 'public.journal_entries', p)`,
  },
  {
    name: 'I7 states',
    says: 'what the network rejected or cancelled ends reversed',
    breaches: `
      select 'conversion ' || i.conv_id || ' is ' || i.status || ' and its reward ' || l.status as what
      from conversion_identities i
      join ledger l on l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at
      where i.status in ('cancelled', 'rejected') and l.status <> 'reversed'`,
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
    says: 'every conversion comes from a postback that is kept, and every postback has its conversion or waits unmatched',
    breaches: `
      select 'unmatched ' || u.unmatched_id as what from unmatched_conversions u
      where not exists (select 1 from postbacks p where p.postback_id = u.unmatched_id and p.received_at = id_time(u.unmatched_id))
      union all
      select 'conversion ' || i.conv_id from conversion_identities i
      where not exists (select 1 from postbacks p where p.conv_id = i.conv_id)
      union all
      select 'postback ' || p.postback_id from postbacks p
      where case when p.outcome in ('unmatched', 'ignored') then not exists (select 1 from unmatched_conversions u where u.unmatched_id = p.postback_id)
                 else not exists (select 1 from conversion_identities i where i.conv_id = p.conv_id) end`,
  },
  {
    name: 'I10',
    says: 'what a payee may be paid stands on rewards that are not used up, and what is kept of them to be found quickly is right',
    breaches: `
      with shares as materialized (
        select tenant_id, side, payee, currency, occurred_at, conv_id, greatest(net - covered, 0) as open,
          greatest(settled - greatest(covered - net, 0), 0) as settled
        from (
          select l.tenant_id, b.side, b.payee, l.currency, l.created_at as occurred_at, l.conv_id, sum(b.amount) as net,
            coalesce(sum(i.covered), 0) as covered, coalesce(sum(i.settled), 0) as settled
          from ledger l cross join lateral (values ('shopper', l.user_id, l.user_amount), ('creator', l.tenant_id, l.creator_amount)) as b(side, payee, amount)
          left join (select led_id, side, sum(amount) as covered, sum(amount) filter (where payout_id is null) as settled
                     from payout_items where returned_at is null group by led_id, side) i on i.led_id = l.led_id and i.side = b.side
          where l.status in ('confirmed', 'paid') and b.payee is not null
          group by l.tenant_id, b.side, b.payee, l.currency, l.created_at, l.conv_id) x)
      select a.tenant_id || ' ' || a.side || ' ' || a.payee || ' available ' || a.available || ' of rewards ' || coalesce(s.open, 0) as what
      from payee_accounts a
      left join (select tenant_id, side, payee, currency, sum(open) as open from shares group by tenant_id, side, payee, currency) s
        on s.tenant_id = a.tenant_id and s.side = a.side and s.payee = a.payee and s.currency = a.currency
      where a.available > coalesce(s.open, 0)
      union all
      select 'conversion ' || coalesce(c.conv_id, s.conv_id) || ' ' || coalesce(c.side, s.side) || ' kept open ' || coalesce(c.open, 0) || ', settled '
        || coalesce(c.settled, 0) || ' of ' || coalesce(s.open, 0) || ', ' || coalesce(s.settled, 0)
      from (select * from shares where open > 0 or settled > 0) s
      full join reward_cover c on c.tenant_id = s.tenant_id and c.side = s.side and c.payee = s.payee and c.currency = s.currency
        and c.occurred_at = s.occurred_at and c.conv_id = s.conv_id
      where (c.open, c.settled) is distinct from (s.open, s.settled)`,
  },
  {
    name: 'clicks',
    says: 'every conversion has its click, as long as the month of the click is there',
    breaches: `
      select 'conversion ' || i.conv_id || ' of click ' || i.click_id as what from conversion_identities i
      where not exists (select 1 from clicks k where k.click_id = i.click_id and k.created_at = id_time(i.click_id))
        and to_regclass('public.clicks' || to_char(id_time(i.click_id) at time zone 'UTC', '_YYYYMM')) is not null`,
  },
  {
    name: 'figures',
    says: 'the daily figures of a link sum to its conversions and what those that count are worth',
    breaches: `
      select 'link ' || coalesce(d.link_id, c.link_id) || ' figures ' || coalesce(d.figures, '0') || ' conversions ' || coalesce(c.figures, '0') as what
      from (select link_id, sum(conversions) || ' ' || sum(net_commission) || ' ' || sum(user_amount) || ' ' || sum(creator_amount) as figures
            from daily_rollups group by link_id having sum(conversions) <> 0) d
      full join (
        select i.link_id, count(*) || ' ' || sum(case when a.alive then i.net_commission else 0 end)::numeric(16,2) || ' '
            || sum(case when a.alive then a.user_amount else 0 end)::numeric(16,2) || ' '
            || sum(case when a.alive then a.creator_amount else 0 end)::numeric(16,2) as figures
        from conversion_identities i
        cross join lateral (
          select sum(l.user_amount) as user_amount, sum(l.creator_amount) as creator_amount,
            bool_or(l.seq = 0 and l.status in ('pending', 'review', 'confirmed', 'paid')) as alive
          from ledger l where l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at) a
        group by i.link_id) c on c.link_id = d.link_id
      where d.figures is distinct from c.figures`,
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
