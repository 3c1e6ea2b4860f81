-- What grows without an end is tidied away, and what a sweep looks for every minute is found by an index.

-- Takes the row locks of these keys. Rows that nobody holds are tidied away: should one go between the look and the lock, everything that was taken is let
-- go, by the end of the block, and taken anew. Holding the rest while one is made again would be out of the order of keys, and two who do so wait for each
-- other in a circle.
create or replace function intake_lock(keys text[]) returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  wanted int := (select count(distinct k) from unnest(keys) as k);
  fresh text[];
  found_again int;
begin
  loop
    begin
      with made as (
        insert into intake_locks select k from (select distinct unnest(keys) as k) d order by k on conflict do nothing returning lock_key)
      select coalesce(array_agg(lock_key), '{}') into fresh from made;
      if cardinality(fresh) = wanted then
        return;
      end if;
      perform 1 from intake_locks where lock_key in (select unnest(keys) except select unnest(fresh)) order by lock_key for update;
      get diagnostics found_again = row_count;
      if cardinality(fresh) + found_again = wanted then
        return;
      end if;
      raise exception 'a row went under our hands' using errcode = 'HB001';
    exception
      when sqlstate 'HB001' then
        null;
    end;
  end loop;
end
$$;
grant delete on intake_locks to hissaback_ingest;

-- Since when nothing waits for a visitor who was bound to a shopper: what lands afterwards is the shopper's from the start. Null while a sweep must look.
alter table visitors add column claimed_at timestamptz check (claimed_at is null or bound_at is not null);
create index visitors_to_claim on visitors (bound_at) where user_id is not null and claimed_at is null;
