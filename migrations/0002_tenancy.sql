-- Tenants, people, memberships, operators, settings, the audit log.

create table tenants (
  tenant_id uuid primary key,
  name varchar(120) not null check (length(btrim(name)) > 0),
  logo_url text,
  trackier_pid varchar(64) unique,
  custom_domain varchar(253) unique check (custom_domain = lower(custom_domain)),
  default_share_pct numeric(5,2) not null default 50.00 check (default_share_pct between 0 and 100),
  status text not null default 'active' check (status in ('active', 'suspended')),
  created_at timestamptz not null
);

create table users (
  user_id uuid primary key,
  phone varchar(16) unique check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  email varchar(254),
  name varchar(120),
  language varchar(8) not null default 'en',
  kyc_hash text,
  created_at timestamptz not null,
  last_login_at timestamptz
);
create index users_email on users (lower(email));

create table tenant_members (
  tenant_id uuid not null references tenants,
  user_id uuid not null references users,
  role text not null check (role in ('owner', 'member')),
  created_at timestamptz not null,
  primary key (tenant_id, user_id)
);
create index tenant_members_user on tenant_members (user_id);

create table operators (
  user_id uuid primary key references users,
  created_at timestamptz not null
);

-- A browser that followed a smart link. The row appears when it matters: at its first conversion or at a login.
create table visitors (
  visitor_id uuid primary key,
  user_id uuid references users,
  created_at timestamptz not null,
  bound_at timestamptz,
  check ((user_id is null) = (bound_at is null))
);
create index visitors_user on visitors (user_id) where user_id is not null;

-- Thresholds of the spec's section 10, one version a change; the highest version is in force.
create table fraud_settings (
  tenant_id uuid not null references tenants,
  version int not null check (version > 0),
  rules jsonb not null,
  created_at timestamptz not null,
  created_by uuid references users,
  primary key (tenant_id, version)
);

create table audit_log (
  audit_id bigint primary key,
  tenant_id uuid references tenants,
  actor text not null,
  action text not null,
  subject text not null,
  reason text,
  details jsonb not null default '{}',
  created_at timestamptz not null
);
create index audit_log_tenant on audit_log (tenant_id, created_at);
create trigger audit_log_is_history before update or delete on audit_log
  for each row execute function refuse_change();
create trigger audit_log_is_kept before truncate on audit_log
  for each statement execute function refuse_change();

-- Every background run leaves a trace: a lease while it runs, when it last succeeded, how far it came.
create table schedule_runs (
  name text primary key,
  lease_until timestamptz,
  lease_token uuid,
  last_started_at timestamptz,
  last_succeeded_at timestamptz,
  last_error text,
  watermark jsonb not null default '{}'
);

create function is_operator() returns boolean language sql stable security definer set search_path = pg_catalog, public
  as $$ select exists (select 1 from operators where user_id = app_operator()) $$;

alter table tenants enable row level security;
alter table tenants force row level security;
alter table users enable row level security;
alter table users force row level security;
alter table tenant_members enable row level security;
alter table tenant_members force row level security;
alter table operators enable row level security;
alter table operators force row level security;
alter table visitors enable row level security;
alter table visitors force row level security;
alter table fraud_settings enable row level security;
alter table fraud_settings force row level security;
alter table audit_log enable row level security;
alter table audit_log force row level security;
alter table schedule_runs enable row level security;
alter table schedule_runs force row level security;

revoke execute on function is_operator() from public;
grant execute on function is_operator() to hissaback_api;
alter function is_operator() owner to hissaback_lookup;
grant select on operators to hissaback_lookup;
create policy lookup_reads on operators for select to hissaback_lookup using (true);

grant select, insert, update on tenants to hissaback_api;
create policy tenant_own on tenants to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy member_reads on tenants for select to hissaback_api
  using (exists (select 1 from tenant_members m where m.tenant_id = tenants.tenant_id and m.user_id = app_user()));
create policy operator_all on tenants to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant select on tenants to hissaback_ingest, hissaback_payout;
create policy ingest_reads on tenants for select to hissaback_ingest using (true);
create policy payout_reads on tenants for select to hissaback_payout using (true);

grant select, update on users to hissaback_api;
create policy user_own on users to hissaback_api using (user_id = app_user()) with check (user_id = app_user());
create policy operator_reads on users for select to hissaback_api using ((select is_operator()));
grant select (user_id, phone, email) on users to hissaback_ingest;
create policy ingest_reads on users for select to hissaback_ingest using (true);
grant select (user_id, phone, language, kyc_hash) on users to hissaback_payout;
create policy payout_reads on users for select to hissaback_payout using (true);

grant select, insert, update, delete on tenant_members to hissaback_api;
create policy tenant_own on tenant_members to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy user_reads on tenant_members for select to hissaback_api using (user_id = app_user());
create policy operator_all on tenant_members to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant select on tenant_members to hissaback_ingest, hissaback_payout;
create policy ingest_reads on tenant_members for select to hissaback_ingest using (true);
create policy payout_reads on tenant_members for select to hissaback_payout using (true);

grant select on operators to hissaback_api;
create policy own on operators for select to hissaback_api using (user_id in (app_user(), app_operator()));

grant select on visitors to hissaback_api;
create policy user_reads on visitors for select to hissaback_api using (user_id = app_user());
grant select, insert, update on visitors to hissaback_ingest;
create policy ingest_all on visitors to hissaback_ingest using (true) with check (true);

grant select, insert on fraud_settings to hissaback_api;
create policy tenant_own on fraud_settings to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_all on fraud_settings to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant select on fraud_settings to hissaback_ingest;
create policy ingest_reads on fraud_settings for select to hissaback_ingest using (true);

grant select, insert on audit_log to hissaback_api;
create policy tenant_own on audit_log to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_all on audit_log to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant insert on audit_log to hissaback_ingest, hissaback_payout;
create policy ingest_writes on audit_log for insert to hissaback_ingest with check (true);
create policy payout_writes on audit_log for insert to hissaback_payout with check (true);

grant select on schedule_runs to hissaback_api;
create policy operator_reads on schedule_runs for select to hissaback_api using ((select is_operator()));
grant select, insert, update on schedule_runs to hissaback_ingest, hissaback_payout;
create policy ingest_all on schedule_runs to hissaback_ingest using (true) with check (true);
create policy payout_all on schedule_runs to hissaback_payout using (true) with check (true);
