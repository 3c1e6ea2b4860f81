-- Partitions are made ahead by one idempotent function; a missing one is an alert and a retry, never a loss.

do $$
begin
  for n in 0..7 loop
    execute format('create table ledger_h%s partition of ledger for values with (modulus 8, remainder %s) partition by range (created_at)', n, n);
  end loop;
end
$$;

-- Makes the partitions from `back` months before `at` to `ahead` months after it; returns how many were missing.
create function ensure_partitions(at timestamptz, back int, ahead int) returns int
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
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end
$$;
revoke execute on function ensure_partitions(timestamptz, int, int) from public;
grant execute on function ensure_partitions(timestamptz, int, int) to hissaback_payout;

-- Partitions are no place for rows of the clock's choosing: this is schema, not money.
select ensure_partitions(now(), 6, 3);
