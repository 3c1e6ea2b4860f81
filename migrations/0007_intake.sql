-- What reached us: every postback, what could not be matched, what no consumer could take.

create table postbacks (
  postback_id bigint not null,
  received_at timestamptz not null check (received_at = id_time(postback_id)),
  source text not null check (source in ('postback', 'poll', 'csv', 'operator')),
  raw jsonb not null,
  outcome text not null check (outcome in ('credited', 'updated', 'replayed', 'refused', 'unmatched', 'ignored')),
  detail text,
  conv_id bigint,
  tenant_id uuid,
  processed_at timestamptz not null,
  primary key (postback_id, received_at)
) partition by range (received_at);
create index postbacks_conversion on postbacks (conv_id) where conv_id is not null;

create table unmatched_conversions (
  unmatched_id bigint primary key, -- the postback's id
  tenant_id uuid,
  reason text not null,
  raw jsonb not null,
  source text not null,
  click_id bigint,
  status text not null default 'open' check (status in ('open', 'matched', 'dismissed')),
  conv_id bigint,
  received_at timestamptz not null,
  resolved_at timestamptz
);
create index unmatched_conversions_click on unmatched_conversions (click_id) where status = 'open';
create index unmatched_conversions_network on unmatched_conversions ((raw ->> '_id')) where raw ? '_id';
create index unmatched_conversions_open on unmatched_conversions (received_at) where status = 'open';

create table dead_letters (
  dead_letter_id uuid primary key,
  queue text not null,
  message_id text not null,
  body jsonb not null,
  reason text not null,
  attempts int not null,
  created_at timestamptz not null,
  resolved_at timestamptz,
  unique (queue, message_id)
);
create index dead_letters_open on dead_letters (created_at) where resolved_at is null;

alter table postbacks enable row level security;
alter table postbacks force row level security;
alter table unmatched_conversions enable row level security;
alter table unmatched_conversions force row level security;
alter table dead_letters enable row level security;
alter table dead_letters force row level security;

grant select on postbacks, unmatched_conversions, dead_letters to hissaback_api;
create policy tenant_reads on postbacks for select to hissaback_api using (tenant_id = app_tenant());
create policy operator_reads on postbacks for select to hissaback_api using ((select is_operator()));
create policy operator_reads on unmatched_conversions for select to hissaback_api using ((select is_operator()));
create policy operator_reads on dead_letters for select to hissaback_api using ((select is_operator()));

grant select, insert, update on postbacks, unmatched_conversions, dead_letters to hissaback_ingest;
create policy ingest_all on postbacks to hissaback_ingest using (true) with check (true);
create policy ingest_all on unmatched_conversions to hissaback_ingest using (true) with check (true);
create policy ingest_all on dead_letters to hissaback_ingest using (true) with check (true);

grant select (dead_letter_id, queue, created_at, resolved_at) on dead_letters to hissaback_payout;
create policy payout_reads on dead_letters for select to hissaback_payout using (true);
grant select (unmatched_id) on unmatched_conversions to hissaback_payout;
create policy payout_reads on unmatched_conversions for select to hissaback_payout using (true);
grant select on postbacks to hissaback_payout;
create policy payout_reads on postbacks for select to hissaback_payout using (true);
