-- The API's breadth: domains of tenants, webhooks to their servers.

-- A domain is claimed by anyone and verified by one: what its TXT record says decides.
create table tenant_domains (
  domain_id uuid primary key,
  tenant_id uuid not null references tenants,
  domain varchar(190) not null check (domain = lower(domain)),
  proof varchar(64) not null, -- what the TXT record must say
  created_at timestamptz not null,
  checked_at timestamptz,
  verified_at timestamptz,
  unique (tenant_id, domain)
);
create unique index tenant_domains_verified on tenant_domains (domain) where verified_at is not null;

-- Where a tenant's server wants to hear of its conversions. A removed one stays as a row without secrets, for its deliveries.
create table webhook_endpoints (
  endpoint_id uuid primary key,
  tenant_id uuid not null references tenants,
  url text not null check (url ~ '^https?://'),
  description varchar(120),
  events text[] not null check (cardinality(events) between 1 and 20),
  status text not null default 'enabled' check (status in ('enabled', 'disabled', 'failing', 'removed')),
  secret text not null,
  previous_secret text, -- signs beside the new one until then
  previous_until timestamptz,
  failures int not null default 0, -- in a row
  failing_since timestamptz,
  created_at timestamptz not null,
  status_at timestamptz not null,
  unique (tenant_id, endpoint_id),
  check ((previous_secret is null) = (previous_until is null))
);

-- The outbox: written by the transaction that moves the ledger, kept for a while, never changed.
create table webhook_events (
  event_id uuid primary key,
  tenant_id uuid not null references tenants,
  type text not null check (type in ('conversion.created', 'conversion.confirmed', 'conversion.reversed', 'reward.paid')),
  conv_id bigint not null,
  conv_created_at timestamptz not null,
  occurred_at timestamptz not null,
  data jsonb not null,
  unique (tenant_id, event_id)
);
create index webhook_events_age on webhook_events (occurred_at);

create table webhook_deliveries (
  delivery_id uuid primary key,
  tenant_id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts int not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz not null, -- also the lease: claiming pushes it forward
  replay_of uuid,
  response_status int,
  response_body varchar(1024),
  error text,
  duration_ms int,
  created_at timestamptz not null,
  attempted_at timestamptz,
  delivered_at timestamptz,
  foreign key (tenant_id, endpoint_id) references webhook_endpoints (tenant_id, endpoint_id),
  foreign key (tenant_id, event_id) references webhook_events (tenant_id, event_id) on delete cascade
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where status = 'pending';
create index webhook_deliveries_endpoint on webhook_deliveries (tenant_id, endpoint_id, created_at);
create index webhook_deliveries_event on webhook_deliveries (tenant_id, event_id);

-- The api's role may set a secret and never read one, so the old one is kept aside here.
create function webhook_secret_moves_aside() returns trigger language plpgsql as $$
begin
  new.previous_secret := case when new.previous_until is null then null else old.secret end;
  return new;
end
$$;
create trigger webhook_secret_moves_aside before update of secret on webhook_endpoints
  for each row when (old.secret is distinct from new.secret) execute function webhook_secret_moves_aside();

-- A UUID (version 8) that follows from a text.
create function uuid_of(source text) returns uuid language sql immutable parallel safe
  as $$ select overlay(overlay(md5(source) placing '8' from 13) placing '8' from 17)::uuid $$;

-- Events of what the ledger did, for the tenants that listen; their ids follow from it, so that nothing is told twice.
create function tell_webhooks(p_happened jsonb) returns void language sql set search_path = pg_catalog, public as $$
  with happened as (
    select h.*, uuid_of(concat_ws(':', h.type, h.led_id, extract(epoch from h.status_at))) as event_id
    from jsonb_to_recordset(p_happened) as h(type text, tenant_id uuid, conv_id bigint, created_at timestamptz, led_id bigint, currency text,
      user_amount numeric(14,2), creator_amount numeric(14,2), status text, status_at timestamptz)
  ), wanted as (
    select h.event_id, h.tenant_id, e.endpoint_id, h.status_at from happened h
    join webhook_endpoints e on e.tenant_id = h.tenant_id and e.status = 'enabled' and h.type = any (e.events)
  ), told as (
    insert into webhook_events (event_id, tenant_id, type, conv_id, conv_created_at, occurred_at, data)
    select h.event_id, h.tenant_id, h.type, h.conv_id, h.created_at, h.status_at,
      case when h.type = 'reward.paid' then jsonb_build_object('led_id', h.led_id::text, 'amount', h.user_amount::text)
           else (select jsonb_build_object('user_amount', sum(l.user_amount)::text, 'creator_amount', sum(l.creator_amount)::text) from ledger l
                 where l.conv_id = h.conv_id and l.tenant_id = h.tenant_id and l.created_at = h.created_at) end
      || jsonb_build_object('conv_id', h.conv_id::text, 'currency', h.currency, 'reward_status', h.status)
    from happened h where exists (select 1 from wanted w where w.event_id = h.event_id)
    on conflict (event_id) do nothing
  )
  insert into webhook_deliveries (delivery_id, tenant_id, endpoint_id, event_id, next_attempt_at, created_at)
  select uuid_of(concat_ws(':', w.event_id, w.endpoint_id)), w.tenant_id, w.endpoint_id, w.event_id, w.status_at, w.status_at from wanted w
  on conflict (delivery_id) do nothing
$$;

-- Once a statement, and next to nothing where no tenant of its rows listens.
create function ledger_tells_webhooks() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare happened jsonb;
begin
  if not exists (select 1 from moved m join webhook_endpoints e on e.tenant_id = m.tenant_id and e.status = 'enabled') then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select jsonb_agg(to_jsonb(m) || '{"type": "conversion.created"}') into happened from moved m where m.seq = 0;
  else
    select jsonb_agg(to_jsonb(m) || jsonb_build_object('type', case m.status when 'confirmed' then 'conversion.confirmed' when 'paid' then 'reward.paid'
        else 'conversion.reversed' end)) into happened
    from moved m join before b on b.led_id = m.led_id and b.tenant_id = m.tenant_id and b.created_at = m.created_at
    where (m.status = 'paid' and b.status <> 'paid')
       or (m.seq = 0 and m.status = 'confirmed' and b.status <> 'confirmed')
       or (m.seq = 0 and m.status in ('rejected', 'reversed') and b.status not in ('rejected', 'reversed'));
  end if;
  if happened is not null then
    perform tell_webhooks(happened);
  end if;
  return null;
end
$$;
create trigger ledger_tells_webhooks_of_new after insert on ledger
  referencing new table as moved for each statement execute function ledger_tells_webhooks();
create trigger ledger_tells_webhooks_of_moved after update on ledger
  referencing old table as before new table as moved for each statement execute function ledger_tells_webhooks();

alter table tenant_domains enable row level security;
alter table tenant_domains force row level security;
alter table webhook_endpoints enable row level security;
alter table webhook_endpoints force row level security;
alter table webhook_events enable row level security;
alter table webhook_events force row level security;
alter table webhook_deliveries enable row level security;
alter table webhook_deliveries force row level security;

grant select, insert, update, delete on tenant_domains to hissaback_api;
create policy tenant_own on tenant_domains to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_reads on tenant_domains for select to hissaback_api using ((select is_operator()));

grant select (endpoint_id, tenant_id, url, description, events, status, previous_until, failures, failing_since, created_at, status_at)
  on webhook_endpoints to hissaback_api;
grant insert, update on webhook_endpoints to hissaback_api;
create policy tenant_own on webhook_endpoints to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_reads on webhook_endpoints for select to hissaback_api using ((select is_operator()));
grant select on webhook_events to hissaback_api;
create policy tenant_reads on webhook_events for select to hissaback_api using (tenant_id = app_tenant());
create policy operator_reads on webhook_events for select to hissaback_api using ((select is_operator()));
grant select, insert on webhook_deliveries to hissaback_api;
grant update (status, next_attempt_at, error) on webhook_deliveries to hissaback_api;
create policy tenant_own on webhook_deliveries to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_reads on webhook_deliveries for select to hissaback_api using ((select is_operator()));

grant select on webhook_endpoints, webhook_deliveries, webhook_events to hissaback_ingest;
grant update (status, failures, failing_since, status_at, previous_secret, previous_until) on webhook_endpoints to hissaback_ingest;
grant update (status, attempts, next_attempt_at, response_status, response_body, error, duration_ms, attempted_at, delivered_at)
  on webhook_deliveries to hissaback_ingest;
grant delete on webhook_events to hissaback_ingest;
create policy ingest_all on webhook_endpoints to hissaback_ingest using (true) with check (true);
create policy ingest_all on webhook_deliveries to hissaback_ingest using (true) with check (true);
create policy ingest_all on webhook_events to hissaback_ingest using (true) with check (true);

grant select (tenant_id, endpoint_id, status, events) on webhook_endpoints to hissaback_lookup;
grant select (tenant_id, conv_id, created_at, user_amount, creator_amount) on ledger to hissaback_lookup;
grant select, insert on webhook_events, webhook_deliveries to hissaback_lookup;
create policy outbox_reads on webhook_endpoints for select to hissaback_lookup using (true);
create policy outbox_reads on ledger for select to hissaback_lookup using (true);
create policy outbox_all on webhook_events to hissaback_lookup using (true) with check (true);
create policy outbox_all on webhook_deliveries to hissaback_lookup using (true) with check (true);

revoke execute on function ledger_tells_webhooks() from public;
revoke execute on function tell_webhooks(jsonb) from public;
grant execute on function tell_webhooks(jsonb) to hissaback_lookup;
alter function ledger_tells_webhooks() owner to hissaback_lookup;
