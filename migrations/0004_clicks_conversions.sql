-- Clicks and conversions by month; who a conversion is (identities, aliases, order keys); rollups.

-- No foreign key points into clicks: their months are detached one day (money rule 3); the audit checks that link.
create table clicks (
  click_id bigint not null check (click_id > 0),
  created_at timestamptz not null check (created_at = id_time(click_id)),
  tenant_id uuid not null,
  link_id uuid not null,
  user_id uuid,
  visitor_id uuid,
  country char(2),
  device text,
  referrer_host varchar(253),
  sub_id varchar(64),
  source text not null check (source in ('edge', 'api', 'widget', 'reference')),
  -- Set when another click already had this id: then this row carries a free one, and the reference's is kept here.
  reference_click_id bigint,
  primary key (click_id, created_at)
) partition by range (created_at);
create index clicks_link on clicks (link_id, created_at);

-- One row per real sale, unpartitioned: the place where its events meet (money rules 1, 3, 4).
create table conversion_identities (
  conv_id bigint primary key,
  tenant_id uuid not null references tenants,
  -- The network's conversion time; where only a postback told of it, the time it reached us.
  occurred_at timestamptz not null,
  click_id bigint not null,
  link_id uuid not null,
  visitor_id uuid,
  offer_id int not null,
  goal_id varchar(64),
  txn_id varchar(128),
  network_id varchar(64),
  -- What holds now; `conversions` keeps what was written first.
  status text not null check (status in ('pending', 'approved', 'cancelled', 'rejected')),
  order_value numeric(14,2) check (order_value >= 0), -- null: the network's list does not tell
  net_commission numeric(14,2) not null check (net_commission >= 0),
  platform_fee numeric(14,2) not null default 0 check (platform_fee >= 0),
  amendments int not null default 0, -- ledger rows beside the reward
  rounds int not null default 0, -- reversals and revivals so far: each has its own event
  changed_at timestamptz not null, -- when the last event that changed it reached us
  unique (conv_id, tenant_id),
  unique (conv_id, tenant_id, occurred_at),
  foreign key (tenant_id, link_id) references links (tenant_id, link_id)
);
create index conversion_identities_click on conversion_identities (click_id);

create table conversion_aliases (
  alias text primary key,
  conv_id bigint not null,
  tenant_id uuid not null,
  foreign key (conv_id, tenant_id) references conversion_identities (conv_id, tenant_id)
);
create index conversion_aliases_conversion on conversion_aliases (conv_id);

-- The 30-day order rule (money rule 2): one order is credited once, whoever's link it was.
create table order_keys (
  network text not null,
  merchant varchar(200) not null,
  order_id varchar(128) not null,
  first_seen timestamptz not null,
  conv_id bigint not null,
  tenant_id uuid not null references tenants,
  primary key (network, merchant, order_id)
);
create index order_keys_conversion on order_keys (conv_id);

create table conversions (
  conv_id bigint not null,
  created_at timestamptz not null,
  tenant_id uuid not null,
  click_id bigint not null,
  link_id uuid not null,
  campaign_id uuid not null,
  offer_id int not null references offers,
  user_id uuid references users,
  visitor_id uuid,
  order_value numeric(14,2) check (order_value >= 0),
  net_commission numeric(14,2) not null check (net_commission >= 0),
  platform_fee numeric(14,2) not null default 0 check (platform_fee >= 0),
  currency char(3) not null,
  status text not null check (status in ('pending', 'approved', 'cancelled', 'rejected')),
  txn_id varchar(128),
  network_id varchar(64),
  goal_id varchar(64),
  country char(2),
  click_country char(2),
  fraud_score int not null default 0,
  fraud_rules text[] not null default '{}',
  fraud_inputs jsonb not null default '{}',
  cool_off_days int not null,
  received_at timestamptz not null,
  primary key (conv_id, created_at),
  foreign key (conv_id, tenant_id, created_at) references conversion_identities (conv_id, tenant_id, occurred_at),
  foreign key (tenant_id, campaign_id) references campaigns (tenant_id, campaign_id)
) partition by range (created_at);
create index conversions_click on conversions (click_id);
create index conversions_tenant on conversions (tenant_id, created_at);
create index conversions_user on conversions (user_id, created_at) where user_id is not null;
create index conversions_visitor on conversions (visitor_id) where visitor_id is not null and user_id is null;

create function conversions_keep_their_facts() returns trigger language plpgsql as $$
begin
  if (new.conv_id, new.created_at, new.tenant_id, new.click_id, new.link_id, new.campaign_id, new.offer_id, new.visitor_id, new.order_value,
      new.net_commission, new.platform_fee, new.currency, new.cool_off_days, new.received_at)
     is distinct from
     (old.conv_id, old.created_at, old.tenant_id, old.click_id, old.link_id, old.campaign_id, old.offer_id, old.visitor_id, old.order_value,
      old.net_commission, old.platform_fee, old.currency, old.cool_off_days, old.received_at) then
    raise exception 'a conversion keeps what was first written' using errcode = 'restrict_violation';
  end if;
  -- An id or a shopper may become known once; it never changes after that.
  if (old.user_id is not null and new.user_id is distinct from old.user_id)
     or (old.txn_id is not null and new.txn_id is distinct from old.txn_id)
     or (old.network_id is not null and new.network_id is distinct from old.network_id) then
    raise exception 'a conversion keeps its shopper and its ids' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger conversions_keep_their_facts before update on conversions
  for each row execute function conversions_keep_their_facts();
create trigger conversions_are_history before delete on conversions
  for each row execute function refuse_change();
create trigger conversions_are_kept before truncate on conversions
  for each statement execute function refuse_change();

-- Several rows a day and link (shard), so that no row is one that every conversion must update; readers sum them.
create table daily_rollups (
  tenant_id uuid not null references tenants,
  day date not null,
  link_id uuid not null,
  shard smallint not null check (shard between 0 and 15),
  clicks bigint not null default 0,
  conversions bigint not null default 0,
  order_value numeric(16,2) not null default 0,
  net_commission numeric(16,2) not null default 0,
  user_amount numeric(16,2) not null default 0,
  creator_amount numeric(16,2) not null default 0,
  primary key (tenant_id, day, link_id, shard),
  foreign key (tenant_id, link_id) references links (tenant_id, link_id)
);

-- Rows to take a lock on: a click's, a visitor's, a shopper's events are handled one after another (money rule 1).
create table intake_locks (lock_key text primary key);

create function intake_lock(keys text[]) returns void language plpgsql set search_path = pg_catalog, public as $$
begin
  insert into intake_locks select k from (select distinct unnest(keys) as k) d order by k on conflict do nothing;
  perform 1 from intake_locks where lock_key = any(keys) order by lock_key for update;
end
$$;

-- The first locks of a batch: clicks and visitors by key, then the conversions that its events may touch. Release locks the
-- conversions as well (money rule 11). Whatever is read afterwards is what holds.
create function intake_lock(keys text[], clicks bigint[], aliases text[]) returns void
  language plpgsql set search_path = pg_catalog, public as $$
begin
  perform intake_lock(keys);
  perform 1 from conversion_identities
    where click_id = any(clicks) or conv_id in (select a.conv_id from conversion_aliases a where a.alias = any(aliases))
    order by conv_id for update;
end
$$;

alter table clicks enable row level security;
alter table clicks force row level security;
alter table conversions enable row level security;
alter table conversions force row level security;
alter table conversion_identities enable row level security;
alter table conversion_identities force row level security;
alter table conversion_aliases enable row level security;
alter table conversion_aliases force row level security;
alter table order_keys enable row level security;
alter table order_keys force row level security;
alter table daily_rollups enable row level security;
alter table daily_rollups force row level security;
alter table intake_locks enable row level security;
alter table intake_locks force row level security;

grant select on clicks, conversions, daily_rollups to hissaback_api;
create policy tenant_reads on clicks for select to hissaback_api using (tenant_id = app_tenant());
create policy user_reads on clicks for select to hissaback_api using (user_id = app_user());
create policy operator_reads on clicks for select to hissaback_api using ((select is_operator()));
create policy tenant_reads on conversions for select to hissaback_api using (tenant_id = app_tenant());
create policy user_reads on conversions for select to hissaback_api using (user_id = app_user());
create policy operator_reads on conversions for select to hissaback_api using ((select is_operator()));
create policy tenant_reads on daily_rollups for select to hissaback_api using (tenant_id = app_tenant());
create policy operator_reads on daily_rollups for select to hissaback_api using ((select is_operator()));

grant select, insert on clicks, conversion_aliases to hissaback_ingest;
-- A row made from a reference is completed when the click's own message arrives.
grant update (user_id, country, device, referrer_host, sub_id, source) on clicks to hissaback_ingest;
grant select, insert, update on conversions, conversion_identities, daily_rollups, intake_locks to hissaback_ingest;
grant select, insert, update, delete on order_keys to hissaback_ingest;
create policy ingest_all on clicks to hissaback_ingest using (true) with check (true);
create policy ingest_all on conversions to hissaback_ingest using (true) with check (true);
create policy ingest_all on conversion_identities to hissaback_ingest using (true) with check (true);
create policy ingest_all on conversion_aliases to hissaback_ingest using (true) with check (true);
create policy ingest_all on order_keys to hissaback_ingest using (true) with check (true);
create policy ingest_all on daily_rollups to hissaback_ingest using (true) with check (true);
create policy ingest_all on intake_locks to hissaback_ingest using (true) with check (true);

grant select on conversions, conversion_identities, conversion_aliases, clicks, order_keys, daily_rollups to hissaback_payout;
create policy payout_reads on clicks for select to hissaback_payout using (true);
create policy payout_reads on conversions for select to hissaback_payout using (true);
create policy payout_reads on conversion_identities for select to hissaback_payout using (true);
-- Release takes the identity rows' locks before it moves money (money rule 11), and PostgreSQL asks the right to update for that.
grant update (rounds) on conversion_identities to hissaback_payout;
create policy payout_locks on conversion_identities for update to hissaback_payout using (true) with check (true);
create policy payout_reads on conversion_aliases for select to hissaback_payout using (true);
create policy payout_reads on order_keys for select to hissaback_payout using (true);
create policy payout_reads on daily_rollups for select to hissaback_payout using (true);
