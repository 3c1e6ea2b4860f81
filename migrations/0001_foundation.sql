-- Roles and the small functions that every later migration leans on.
-- The runner executes this file as the connecting administrator and every later one as hissaback_owner.

do $$
declare r text;
begin
  -- hissaback_owner owns everything and can log in nowhere; hissaback_lookup owns the narrow functions that run before
  -- a tenant or user is known. The three others are the workers' own.
  foreach r in array array['hissaback_owner', 'hissaback_lookup', 'hissaback_api', 'hissaback_ingest', 'hissaback_payout'] loop
    begin
      if not exists (select 1 from pg_roles where rolname = r) then
        execute format('create role %I nologin noinherit nosuperuser nobypassrls nocreatedb nocreaterole', r);
      end if;
    exception when duplicate_object or unique_violation then
      null; -- another database of this server made it at the same moment
    end;
  end loop;
  foreach r in array array['hissaback_api', 'hissaback_ingest', 'hissaback_payout'] loop
    execute format('alter role %I login', r);
  end loop;
  execute format('grant hissaback_owner, hissaback_lookup to %I', current_user);
end
$$;

grant hissaback_lookup to hissaback_owner;
revoke all on schema public from public;
grant all on schema public to hissaback_owner;
grant usage, create on schema public to hissaback_lookup;
grant usage on schema public to hissaback_api, hissaback_ingest, hissaback_payout;
alter schema public owner to hissaback_owner;

-- The keys that the policies read. An unset or emptied setting is NULL and matches no row; a malformed one is an error.
create function app_tenant() returns uuid language sql stable parallel safe
  as $$ select nullif(current_setting('app.tenant', true), '')::uuid $$;
create function app_user() returns uuid language sql stable parallel safe
  as $$ select nullif(current_setting('app.user', true), '')::uuid $$;
create function app_operator() returns uuid language sql stable parallel safe
  as $$ select nullif(current_setting('app.operator', true), '')::uuid $$;

-- The time inside a BIGINT id (41 bits of milliseconds since 2024, 22 bits of chance): money rule 3.
create function id_time(id bigint) returns timestamptz language sql immutable parallel safe
  as $$ select timestamptz '2024-01-01T00:00:00Z' + ((id >> 22) * interval '1 millisecond') $$;

alter function app_tenant() owner to hissaback_owner;
alter function app_user() owner to hissaback_owner;
alter function app_operator() owner to hissaback_owner;
alter function id_time(bigint) owner to hissaback_owner;

-- Raised by the triggers that keep history as it was written.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is not allowed: its rows are history', tg_op, tg_table_name using errcode = 'restrict_violation';
end
$$;
alter function refuse_change() owner to hissaback_owner;
