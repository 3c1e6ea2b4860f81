-- What may still be paid of a reward, and what of it was used up for a debt, by payee: a settlement reads as much as it moves, never a payee's whole history.

-- Kept by triggers from `ledger` and `payout_items`, which alone say what is true; the audit compares (I10). Only rewards with one or the other have a row.
create table reward_cover (
  tenant_id uuid not null,
  side text not null check (side in ('shopper', 'creator')),
  payee uuid not null,
  currency char(3) not null,
  occurred_at timestamptz not null, -- the conversion's
  conv_id bigint not null,
  open numeric(14,2) not null check (open >= 0), -- released and covered by nothing
  settled numeric(14,2) not null check (settled >= 0), -- covered by items without a payout, less what is covered beyond its worth
  primary key (tenant_id, side, payee, currency, occurred_at, conv_id),
  check (open > 0 or settled > 0)
);
create index reward_cover_open on reward_cover (tenant_id, side, payee, currency, occurred_at, conv_id) where open > 0;
create index reward_cover_settled on reward_cover (tenant_id, side, payee, currency, occurred_at, conv_id) where settled > 0;
-- What it was for is found by the above.
drop index payout_items_settled;

alter table reward_cover enable row level security;
alter table reward_cover force row level security;
grant select on reward_cover to hissaback_ingest, hissaback_payout;
create policy ingest_reads on reward_cover for select to hissaback_ingest using (true);
create policy payout_reads on reward_cover for select to hissaback_payout using (true);
grant select, insert, update, delete on reward_cover to hissaback_lookup;
create policy triggers_all on reward_cover to hissaback_lookup using (true) with check (true);
grant select (led_id, seq, currency) on ledger to hissaback_lookup;
grant select (led_id, tenant_id, side, payout_id, amount, returned_at) on payout_items to hissaback_lookup;
create policy triggers_read on payout_items for select to hissaback_lookup using (true);

-- One conversion's released rows are worth `net` to a payee, of which `covered` is used up by live items and `settled` by those without a payout. Nothing
-- where the conversion is not that payee's.
create function reward_share(p_tenant uuid, p_side text, p_payee uuid, p_currency bpchar, p_at timestamptz, p_conv bigint)
  returns table (led_id bigint, net numeric, covered numeric, settled numeric) language sql stable as $$
  select min(l.led_id) filter (where l.seq = 0),
    coalesce(sum(case p_side when 'shopper' then l.user_amount else l.creator_amount end) filter (where l.status in ('confirmed', 'paid')), 0),
    coalesce(sum(i.covered), 0), coalesce(sum(i.settled), 0)
  from ledger l
  left join lateral (select sum(x.amount) as covered, sum(x.amount) filter (where x.payout_id is null) as settled
                     from payout_items x where x.led_id = l.led_id and x.side = p_side and x.returned_at is null) i on true
  where l.conv_id = p_conv and l.tenant_id = p_tenant and l.created_at = p_at and l.currency = p_currency and (p_side = 'creator' or l.user_id = p_payee)
  having count(*) > 0
$$;

-- Brings the rows of these conversions up to what ledger and items say.
create function refresh_reward_cover(p_tenants uuid[], p_times timestamptz[], p_convs bigint[]) returns void
  language sql set search_path = pg_catalog, public, pg_temp as $$
  with touched as (select distinct * from unnest(p_tenants, p_times, p_convs) as t(tenant_id, occurred_at, conv_id)),
  shares as materialized (
    select t.*, b.side, b.payee, b.currency, greatest(s.net - s.covered, 0) as open, greatest(s.settled - greatest(s.covered - s.net, 0), 0) as settled
    from touched t
    cross join lateral (
      select distinct l.currency, v.side, v.payee
      from ledger l cross join lateral (values ('shopper', l.user_id), ('creator', l.tenant_id)) as v(side, payee)
      where l.conv_id = t.conv_id and l.tenant_id = t.tenant_id and l.created_at = t.occurred_at and v.payee is not null) b
    cross join lateral reward_share(t.tenant_id, b.side, b.payee, b.currency, t.occurred_at, t.conv_id) s),
  over as (
    delete from reward_cover c using shares s
    where c.tenant_id = s.tenant_id and c.side = s.side and c.payee = s.payee and c.currency = s.currency and c.occurred_at = s.occurred_at
      and c.conv_id = s.conv_id and s.open = 0 and s.settled = 0)
  insert into reward_cover as c (tenant_id, side, payee, currency, occurred_at, conv_id, open, settled)
  select tenant_id, side, payee, currency, occurred_at, conv_id, open, settled from shares where open > 0 or settled > 0
  on conflict (tenant_id, side, payee, currency, occurred_at, conv_id) do update set open = excluded.open, settled = excluded.settled
    where (c.open, c.settled) is distinct from (excluded.open, excluded.settled)
$$;

-- A reward counts from its release until it is reversed; what is pending is nobody's cover.
create function ledger_keeps_cover() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    perform refresh_reward_cover(array_agg(m.tenant_id), array_agg(m.created_at), array_agg(m.conv_id))
    from moved m where m.status in ('confirmed', 'paid') having count(*) > 0;
  else
    perform refresh_reward_cover(array_agg(m.tenant_id), array_agg(m.created_at), array_agg(m.conv_id))
    from moved m join before b on b.led_id = m.led_id and b.tenant_id = m.tenant_id and b.created_at = m.created_at
    where (m.status in ('confirmed', 'paid')) <> (b.status in ('confirmed', 'paid')) having count(*) > 0;
  end if;
  return null;
end
$$;
create trigger ledger_keeps_cover_of_new after insert on ledger
  referencing new table as moved for each statement execute function ledger_keeps_cover();
create trigger ledger_keeps_cover_of_moved after update on ledger
  referencing old table as before new table as moved for each statement execute function ledger_keeps_cover();

create function payout_items_keep_cover() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform refresh_reward_cover(array_agg(l.tenant_id), array_agg(l.created_at), array_agg(l.conv_id))
  from (select distinct led_id, tenant_id from touched) t
  cross join lateral (select l.tenant_id, l.created_at, l.conv_id from ledger l where l.led_id = t.led_id and l.tenant_id = t.tenant_id limit 1) l
  having count(*) > 0;
  return null;
end
$$;
create trigger payout_items_keep_cover_of_new after insert on payout_items
  referencing new table as touched for each statement execute function payout_items_keep_cover();
create trigger payout_items_keep_cover_of_returned after update on payout_items
  referencing new table as touched for each statement execute function payout_items_keep_cover();

revoke execute on function ledger_keeps_cover() from public;
revoke execute on function payout_items_keep_cover() from public;
revoke execute on function refresh_reward_cover(uuid[], timestamptz[], bigint[]) from public;
grant execute on function refresh_reward_cover(uuid[], timestamptz[], bigint[]) to hissaback_lookup;
alter function ledger_keeps_cover() owner to hissaback_lookup;
alter function payout_items_keep_cover() owner to hissaback_lookup;

-- A payee's oldest rewards with something open, until they make up `p_most`; those of `p_except` count for nothing. Read a few at a time, so that no more is
-- read than is needed.
create function oldest_open(p_tenant uuid, p_side text, p_payee uuid, p_currency bpchar, p_most numeric, p_except bigint[])
  returns table (occurred_at timestamptz, conv_id bigint, open numeric) language plpgsql stable as $$
#variable_conflict use_column
declare
  missing numeric := p_most;
  after_at timestamptz := '-infinity';
  after_conv bigint := 0;
  found_now int;
begin
  while missing > 0 loop
    found_now := 0;
    for occurred_at, conv_id, open in
      select c.occurred_at, c.conv_id, c.open from reward_cover c
      where c.tenant_id = p_tenant and c.side = p_side and c.payee = p_payee and c.currency = p_currency and c.open > 0
        and (c.occurred_at, c.conv_id) > (after_at, after_conv)
      order by c.occurred_at, c.conv_id limit 8
    loop
      found_now := found_now + 1;
      after_at := occurred_at;
      after_conv := conv_id;
      continue when conv_id = any(p_except);
      return next;
      missing := missing - open;
      exit when missing <= 0;
    end loop;
    exit when found_now < 8;
  end loop;
end
$$;

-- The same of the newest rewards that were used up for a debt.
create function newest_settled(p_tenant uuid, p_side text, p_payee uuid, p_currency bpchar, p_most numeric, p_except bigint[])
  returns table (occurred_at timestamptz, conv_id bigint, settled numeric) language plpgsql stable as $$
#variable_conflict use_column
declare
  missing numeric := p_most;
  before_at timestamptz := 'infinity';
  before_conv bigint := 0;
  found_now int;
begin
  while missing > 0 loop
    found_now := 0;
    for occurred_at, conv_id, settled in
      select c.occurred_at, c.conv_id, c.settled from reward_cover c
      where c.tenant_id = p_tenant and c.side = p_side and c.payee = p_payee and c.currency = p_currency and c.settled > 0
        and (c.occurred_at, c.conv_id) < (before_at, before_conv)
      order by c.occurred_at desc, c.conv_id desc limit 8
    loop
      found_now := found_now + 1;
      before_at := occurred_at;
      before_conv := conv_id;
      continue when conv_id = any(p_except);
      return next;
      missing := missing - settled;
      exit when missing <= 0;
    end loop;
    exit when found_now < 8;
  end loop;
end
$$;

-- Reward for reward, of what was there before. Whoever migrates is asked for a moment's patience: each is looked up by its key.
select refresh_reward_cover(array_agg(tenant_id), array_agg(created_at), array_agg(conv_id))
from (select distinct tenant_id, created_at, conv_id from ledger where status in ('confirmed', 'paid')) l having count(*) > 0;
