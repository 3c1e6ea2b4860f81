-- A temporary table named like one of ours must stand in for it nowhere: functions that run as their owner look for it last, and no worker may make one.
-- Unless it is named, pg_temp comes first of all, before pg_catalog.

set local role hissaback_lookup;
do $$
declare f regprocedure;
begin
  for f in select p.oid from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proowner = current_user::regrole
      and 'search_path=pg_catalog, public' = any (p.proconfig) loop
    execute format('alter function %s set search_path = pg_catalog, public, pg_temp', f);
  end loop;
end
$$;

set local role hissaback_owner;
do $$
declare f regprocedure;
begin
  for f in select p.oid from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proowner = current_user::regrole
      and 'search_path=pg_catalog, public' = any (p.proconfig) loop
    execute format('alter function %s set search_path = pg_catalog, public, pg_temp', f);
  end loop;
end
$$;

-- The database is the connecting administrator's.
set local role none;
do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;
set local role hissaback_owner;
