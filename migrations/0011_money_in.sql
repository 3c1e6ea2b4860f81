-- Money in, around the consumer: polls of the network and what they list, imports, what reconciliation found, replays of dead letters, postbacks that
-- an operator gives a click, claims of missing cashback, notices to creators.

-- A poll reads the network's conversions over a window, and counts only once it has finished (money rule 10). One that died goes on where it was.
create table network_polls (
  started_at timestamptz primary key,
  window_start date not null,
  window_end date not null,
  -- Days before this one are read; of the chunk that begins with it, the pages before `next_page`.
  next_day date not null,
  chunk_end date,
  next_page int not null default 1 check (next_page > 0),
  listed bigint not null default 0,
  sent bigint not null default 0,
  finished_at timestamptz
);

-- Begin of the last poll that listed the conversion and what it said; kept up at its first listing and once the cool-off is over.
alter table conversion_identities add column listed_at timestamptz;
alter table conversion_identities add column listed_status text check (listed_status in ('pending', 'approved', 'cancelled', 'rejected'));
create index conversion_identities_unlisted on conversion_identities (occurred_at) where listed_at is null;

-- Set once a reward that nobody claimed has expired: who has the shopper's part, now and after every later change.
alter table conversion_identities add column expired_to text check (expired_to in ('creator', 'platform'));

-- A file of conversions, the network's daily one or an operator's.
create table conversion_imports (
  import_id uuid primary key,
  source text not null check (source in ('daily', 'upload')),
  day date,
  dry_run boolean not null default false,
  started_at timestamptz not null,
  finished_at timestamptz,
  started_by uuid references users,
  listed bigint not null default 0,
  sent bigint not null default 0,
  known bigint not null default 0,
  failed bigint not null default 0,
  errors jsonb not null default '[]'
);
create index conversion_imports_day on conversion_imports (day) where source = 'daily' and finished_at is not null;

-- Where our books and the network's list differ: one row a conversion and kind, healed when a later list agrees.
create table reconciliation_findings (
  kind text not null check (kind in ('missing_here', 'missing_there', 'differing')),
  finding_key text not null check (length(finding_key) between 1 and 160),
  tenant_id uuid references tenants,
  day date not null, -- of the conversion, in UTC, as the network counts
  network_id varchar(64),
  conv_id bigint,
  offer_id int,
  here jsonb,
  there jsonb,
  source text not null check (source in ('poll', 'csv')),
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  healed_at timestamptz,
  primary key (kind, finding_key)
);
create index reconciliation_findings_day on reconciliation_findings (day, tenant_id);
create index reconciliation_findings_open on reconciliation_findings (finding_key) where healed_at is null;

-- A sync of the network's offers in the making, page by page; it takes effect as a whole.
create table offer_sync_pages (
  page int primary key check (page > 0),
  begun_at timestamptz not null,
  total int not null check (total >= 0),
  rows int not null check (rows >= 0),
  unreadable int not null default 0,
  offers jsonb not null
);

alter table dead_letters add column replay_requested_at timestamptz;
create index dead_letters_replay on dead_letters (replay_requested_at, dead_letter_id) where replay_requested_at is not null and resolved_at is null;

-- `assignment`: what an operator or a claim says in place of the postback's own words, its click above all.
alter table unmatched_conversions add column assignment jsonb;
alter table unmatched_conversions add column assigned_at timestamptz;
alter table unmatched_conversions add column resolved_by uuid references users;
alter table unmatched_conversions add column resolution text;
create index unmatched_conversions_assigned on unmatched_conversions (assigned_at) where status = 'open' and assigned_at is not null;
create index unmatched_conversions_order on unmatched_conversions (lower(raw ->> 'txn_id')) where status = 'open';

create table missing_cashback_claims (
  claim_id uuid primary key,
  user_id uuid not null references users,
  merchant varchar(200) not null,
  brand varchar(200) not null,
  offer_id int references offers,
  purchased_on date not null,
  order_id varchar(128) not null check (length(btrim(order_id)) > 0),
  amount numeric(14,2) not null check (amount > 0),
  -- approved: an operator decided, and the consumer has still to carry it out.
  status text not null default 'open' check (status in ('open', 'approved', 'linked', 'rejected')),
  rule text, -- which rule linked it, or why none did
  evidence jsonb not null default '{}',
  -- What it was linked to.
  tenant_id uuid references tenants,
  conv_id bigint,
  unmatched_id bigint,
  created_at timestamptz not null,
  searched_at timestamptz,
  decided_at timestamptz,
  decided_by uuid references users,
  decision jsonb,
  reason text,
  check ((status in ('open', 'linked')) or decided_at is not null),
  foreign key (conv_id, tenant_id) references conversion_identities (conv_id, tenant_id)
);
create unique index missing_cashback_claims_once on missing_cashback_claims (user_id, merchant, lower(order_id));
create index missing_cashback_claims_user on missing_cashback_claims (user_id, created_at);
create index missing_cashback_claims_open on missing_cashback_claims (created_at) where status in ('open', 'approved');
create index missing_cashback_claims_unmatched on missing_cashback_claims (unmatched_id) where unmatched_id is not null;

-- What a creator should know and no request of theirs would tell them.
create table notices (
  notice_id bigint primary key,
  tenant_id uuid not null references tenants,
  kind text not null check (kind in ('offer_gone', 'offer_back')),
  offer_id int references offers,
  details jsonb not null default '{}',
  created_at timestamptz not null,
  read_at timestamptz
);
create index notices_tenant on notices (tenant_id, created_at);

do $$
declare t text;
begin
  foreach t in array array['network_polls', 'conversion_imports', 'reconciliation_findings', 'offer_sync_pages', 'missing_cashback_claims', 'notices'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('grant select, insert, update on %I to hissaback_ingest', t);
    execute format('create policy ingest_all on %I to hissaback_ingest using (true) with check (true)', t);
  end loop;
end
$$;
grant delete on offer_sync_pages to hissaback_ingest;

grant select on network_polls to hissaback_payout;
create policy payout_reads on network_polls for select to hissaback_payout using (true);

grant select on network_polls, conversion_imports, reconciliation_findings, missing_cashback_claims, notices to hissaback_api;
create policy operator_reads on network_polls for select to hissaback_api using ((select is_operator()));
create policy operator_reads on conversion_imports for select to hissaback_api using ((select is_operator()));
create policy tenant_reads on reconciliation_findings for select to hissaback_api using (tenant_id = app_tenant());
create policy operator_reads on reconciliation_findings for select to hissaback_api using ((select is_operator()));

grant insert (claim_id, user_id, merchant, brand, offer_id, purchased_on, order_id, amount, created_at) on missing_cashback_claims to hissaback_api;
grant update (status, decided_at, decided_by, decision, reason) on missing_cashback_claims to hissaback_api;
create policy user_own on missing_cashback_claims for select to hissaback_api using (user_id = app_user());
create policy user_claims on missing_cashback_claims for insert to hissaback_api with check (user_id = app_user());
create policy operator_all on missing_cashback_claims to hissaback_api using ((select is_operator())) with check ((select is_operator()));

grant update (read_at) on notices to hissaback_api;
create policy tenant_own on notices to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_reads on notices for select to hissaback_api using ((select is_operator()));

grant update (replay_requested_at) on dead_letters to hissaback_api;
create policy operator_replays on dead_letters for update to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant update (status, assignment, assigned_at, resolved_at, resolved_by, resolution) on unmatched_conversions to hissaback_api;
create policy operator_resolves on unmatched_conversions for update to hissaback_api using ((select is_operator())) with check ((select is_operator()));
