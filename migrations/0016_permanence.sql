-- What is permanent stays as it was written, for every role, and in a partition named directly as well as through its parent.

create function conversion_identities_stay() returns trigger language plpgsql as $$
begin
  if (new.conv_id, new.tenant_id, new.occurred_at, new.click_id, new.link_id, new.visitor_id, new.offer_id)
     is distinct from (old.conv_id, old.tenant_id, old.occurred_at, old.click_id, old.link_id, old.visitor_id, old.offer_id)
     or (old.txn_id is not null and new.txn_id is distinct from old.txn_id)
     or (old.network_id is not null and new.network_id is distinct from old.network_id) then
    raise exception 'the identity of a conversion is permanent' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger conversion_identities_stay before update on conversion_identities
  for each row execute function conversion_identities_stay();
create trigger conversion_identities_are_history before delete on conversion_identities
  for each row execute function refuse_change();
create trigger conversion_identities_are_kept before truncate on conversion_identities
  for each statement execute function refuse_change();

create trigger conversion_aliases_are_permanent before update or delete on conversion_aliases
  for each row execute function refuse_change();
create trigger conversion_aliases_are_kept before truncate on conversion_aliases
  for each statement execute function refuse_change();

create function payout_items_stay() returns trigger language plpgsql as $$
begin
  if (new.led_id, new.tenant_id, new.side, new.event_id, new.payout_id, new.amount)
     is distinct from (old.led_id, old.tenant_id, old.side, old.event_id, old.payout_id, old.amount)
     or (old.returned_at is not null and new.returned_at is distinct from old.returned_at) then
    raise exception 'what a payout pays is written once, and returned once' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger payout_items_stay before update on payout_items
  for each row execute function payout_items_stay();
create trigger payout_items_are_history before delete on payout_items
  for each row execute function refuse_change();
create trigger payout_items_are_kept before truncate on payout_items
  for each statement execute function refuse_change();

create function postbacks_stay() returns trigger language plpgsql as $$
begin
  if (new.postback_id, new.received_at, new.source, new.raw) is distinct from (old.postback_id, old.received_at, old.source, old.raw) then
    raise exception 'what the network said is kept as it was said' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger postbacks_stay before update on postbacks
  for each row execute function postbacks_stay();
create trigger postbacks_are_history before delete on postbacks
  for each row execute function refuse_change();
create trigger postbacks_are_kept before truncate on postbacks
  for each statement execute function refuse_change();

-- Row triggers reach every partition by themselves; the one against TRUNCATE each needs of its own. A month that has had its time is detached.
create function keep_from_truncate(partition text) returns void language plpgsql set search_path = pg_catalog, public as $$
begin
  execute format('create trigger is_kept before truncate on public.%I for each statement execute function public.refuse_change()', partition);
end
$$;
revoke execute on function keep_from_truncate(text) from public;

select keep_from_truncate(c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relispartition and c.relkind in ('r', 'p') and c.relname ~ '^(conversions|postbacks|ledger)_';

-- As in 0008, with that trigger on what it makes.
create or replace function ensure_partitions(at timestamptz, back int, ahead int) returns int
  language plpgsql security definer set search_path = pg_catalog, public set lock_timeout = '5s' set timezone = 'UTC' as $$
declare
  made int := 0;
  parent text;
  child text;
  first date;
  month date;
  quarter date;
begin
  if back not between 0 and 24 or ahead not between 0 and 24 then
    raise exception 'partitions reach at most 24 months back and ahead' using errcode = 'invalid_parameter_value';
  end if;
  -- Two runs at once: the second waits here, then finds everything made.
  perform pg_advisory_xact_lock(hashtext('hissaback.ensure_partitions'));
  first := date_trunc('month', at)::date - make_interval(months => back);
  for i in 0..(back + ahead) loop
    month := first + make_interval(months => i);
    foreach parent in array array['clicks', 'conversions', 'postbacks'] loop
      child := parent || to_char(month, '_YYYYMM');
      if to_regclass('public.' || child) is null then
        execute format('create table public.%I partition of public.%I for values from (%L) to (%L)',
          child, parent, month::timestamptz, (month + interval '1 month')::timestamptz);
        if parent <> 'clicks' then perform public.keep_from_truncate(child); end if;
        made := made + 1;
      end if;
    end loop;
    quarter := date_trunc('quarter', month)::date;
    for n in 0..7 loop
      parent := 'ledger_h' || n;
      child := parent || to_char(quarter, '_YYYY"q"Q');
      if to_regclass('public.' || child) is null then
        execute format('create table public.%I partition of public.%I for values from (%L) to (%L)',
          child, parent, quarter::timestamptz, (quarter + interval '3 months')::timestamptz);
        perform public.keep_from_truncate(child);
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end
$$;
