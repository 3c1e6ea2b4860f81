-- Offers (the network's, shared by all tenants), campaigns, links, widgets.

create table offers (
  offer_id int primary key check (offer_id > 0),
  network text not null default 'trackier',
  brand varchar(200) not null,
  sku varchar(120),
  category varchar(120),
  title varchar(300) not null,
  -- Whose order ids these are: money rule 2 keys orders by network, merchant and order id.
  merchant varchar(200) not null,
  model text not null check (model in ('cpa', 'cpi', 'cpc', 'cpm', 'cps')),
  currency char(3) not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
  base_commission_pct numeric(5,2) check (base_commission_pct between 0 and 100),
  fixed_commission numeric(14,2) check (fixed_commission >= 0),
  -- Country -> {"pct": "7.50"} or {"fixed": "120.00"}; the columns above are the answer for every other country.
  country_commissions jsonb not null default '{}',
  cool_off_days int not null default 30 check (cool_off_days between 0 and 365),
  tracking_link text not null,
  preview_url text,
  status text not null default 'active' check (status in ('active', 'gone')),
  synced_at timestamptz not null,
  -- Percent applies to cps offers only; a fixed payout is an amount (money rule 6).
  check ((model = 'cps') = (base_commission_pct is not null)),
  check ((model = 'cps') = (fixed_commission is null))
);
create index offers_category on offers (category);

create table campaigns (
  campaign_id uuid primary key,
  tenant_id uuid not null references tenants,
  name varchar(120) not null check (length(btrim(name)) > 0),
  share_pct numeric(5,2) not null check (share_pct between 0 and 100),
  status text not null default 'active' check (status in ('active', 'paused', 'archived')),
  created_at timestamptz not null,
  unique (tenant_id, campaign_id)
);
create index campaigns_tenant on campaigns (tenant_id);

create table links (
  link_id uuid primary key,
  tenant_id uuid not null,
  campaign_id uuid not null,
  offer_id int not null references offers,
  -- '_' on the platform's own hosts, else the tenant's custom domain.
  host varchar(253) not null default '_' check (host = lower(host)),
  slug varchar(64) not null check (slug ~ '^[A-Za-z0-9_-]{1,64}$'),
  status text not null default 'active' check (status in ('active', 'paused', 'archived')),
  expires_at timestamptz,
  fallback_url text check (fallback_url ~ '^https?://'),
  sub_ids jsonb not null default '{}',
  utm jsonb not null default '{}',
  targets jsonb not null default '{}',
  -- Counts every change that a redirect must see; KV holds a copy that carries it (money rule 23).
  version bigint not null default 1,
  published_version bigint not null default 0,
  created_at timestamptz not null,
  unique (host, slug),
  unique (tenant_id, link_id),
  foreign key (tenant_id, campaign_id) references campaigns (tenant_id, campaign_id)
);
create index links_slug on links (slug);
create index links_campaign on links (tenant_id, campaign_id);
create index links_offer on links (offer_id);
create index links_unpublished on links (link_id) where published_version < version;

-- A change elsewhere that a redirect must see is a new version of every link it touches.
create function links_follow_campaign() returns trigger language plpgsql as $$
begin
  update links set version = version + 1 where tenant_id = new.tenant_id and campaign_id = new.campaign_id;
  return null;
end
$$;
create trigger links_follow_campaign after update of status on campaigns
  for each row when (old.status is distinct from new.status) execute function links_follow_campaign();
create function links_follow_tenant() returns trigger language plpgsql as $$
begin
  update links set version = version + 1 where tenant_id = new.tenant_id;
  return null;
end
$$;
create trigger links_follow_tenant after update of status, trackier_pid on tenants
  for each row when ((old.status, old.trackier_pid) is distinct from (new.status, new.trackier_pid)) execute function links_follow_tenant();
create function links_follow_offer() returns trigger language plpgsql as $$
begin
  update links set version = version + 1 where offer_id = new.offer_id;
  return null;
end
$$;
create trigger links_follow_offer after update of status, tracking_link on offers
  for each row when ((old.status, old.tracking_link) is distinct from (new.status, new.tracking_link)) execute function links_follow_offer();

create table widgets (
  widget_id uuid primary key,
  tenant_id uuid not null,
  campaign_id uuid not null,
  config_json jsonb not null default '{}',
  created_at timestamptz not null,
  unique (tenant_id, widget_id),
  foreign key (tenant_id, campaign_id) references campaigns (tenant_id, campaign_id)
);

alter table offers enable row level security;
alter table offers force row level security;
alter table campaigns enable row level security;
alter table campaigns force row level security;
alter table links enable row level security;
alter table links force row level security;
alter table widgets enable row level security;
alter table widgets force row level security;

-- Offers belong to the network: everyone reads them, the sync alone writes them (cool_off_days is ours: operators).
grant select on offers to hissaback_api, hissaback_payout;
grant update (cool_off_days) on offers to hissaback_api;
create policy all_read on offers for select to hissaback_api, hissaback_payout using (true);
create policy operator_updates on offers for update to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant select, insert on offers to hissaback_ingest;
grant update (brand, sku, category, title, merchant, model, currency, base_commission_pct, fixed_commission, country_commissions,
  tracking_link, preview_url, status, synced_at) on offers to hissaback_ingest;
create policy ingest_all on offers to hissaback_ingest using (true) with check (true);

grant select, insert, update on campaigns, links, widgets to hissaback_api;
create policy tenant_own on campaigns to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy tenant_own on links to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy tenant_own on widgets to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_all on campaigns to hissaback_api using ((select is_operator())) with check ((select is_operator()));
create policy operator_all on links to hissaback_api using ((select is_operator())) with check ((select is_operator()));
create policy operator_all on widgets to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant select on campaigns, links to hissaback_ingest;
grant update (status, version) on links to hissaback_ingest;
create policy ingest_reads on campaigns for select to hissaback_ingest using (true);
create policy ingest_reads on links for select to hissaback_ingest using (true);
create policy ingest_pauses on links for update to hissaback_ingest using (true) with check (true);
