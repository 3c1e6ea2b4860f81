-- What became of text messages after the gateway took them, and creators whose payouts wait for a PAN.

-- Each sending of a voucher's message, by the number that payouts.sms_attempts had then. The reference that the gateway gets is payout and number, so its
-- report finds the row whether or not the answer to the sending ever came. Neither phone nor code is kept.
create table voucher_messages (
  payout_id uuid not null,
  number int not null check (number > 0),
  tenant_id uuid not null,
  -- sending: under way, or its sender died; unknown: the gateway was silent, so it may have gone out.
  status text not null default 'sending' check (status in ('sending', 'accepted', 'refused', 'unknown')),
  reason text check (length(reason) between 1 and 60),
  message_id text check (length(message_id) between 1 and 100), -- the gateway's
  delivery text check (delivery in ('delivered', 'failed')), -- the gateway's report
  delivery_reason text check (length(delivery_reason) between 1 and 60),
  delivery_at timestamptz,
  begun_at timestamptz not null,
  status_at timestamptz not null,
  requested_by uuid references users, -- the operator who had it sent once more
  primary key (payout_id, number),
  foreign key (tenant_id, payout_id) references payouts (tenant_id, payout_id),
  check ((delivery is null) = (delivery_at is null))
);
create index voucher_messages_message on voucher_messages (message_id) where message_id is not null;
create index voucher_messages_failed on voucher_messages (delivery_at) where delivery = 'failed';

alter table notifications add column message_id text check (length(message_id) between 1 and 100);
alter table notifications add column delivery text check (delivery in ('delivered', 'failed'));
alter table notifications add column delivery_reason text check (length(delivery_reason) between 1 and 60);
alter table notifications add column delivery_at timestamptz;
create index notifications_message on notifications (message_id) where message_id is not null;

alter table voucher_messages enable row level security;
alter table voucher_messages force row level security;

grant select on voucher_messages to hissaback_api;
create policy operator_reads on voucher_messages for select to hissaback_api using ((select is_operator()));
grant select, insert, update on voucher_messages to hissaback_payout;
create policy payout_all on voucher_messages to hissaback_payout using (true) with check (true);
-- The gateway's reports come in at the webhook worker, which sees neither payees nor amounts here.
grant select (payout_id, number, message_id, delivery) on voucher_messages to hissaback_ingest;
grant update (delivery, delivery_reason, delivery_at) on voucher_messages to hissaback_ingest;
create policy ingest_reports on voucher_messages to hissaback_ingest using (true) with check (true);
grant update (message_id) on notifications to hissaback_payout;
grant select (kind, subject, message_id, delivery) on notifications to hissaback_ingest;
grant update (delivery, delivery_reason, delivery_at) on notifications to hissaback_ingest;
create policy ingest_reports on notifications to hissaback_ingest using (true) with check (true);

-- Creators whose round could not pay all: above the year's total without a PAN. Their round is made up for as soon as the PAN is known.
create table creator_kyc_holds (
  tenant_id uuid not null references tenants,
  currency char(3) not null,
  held_at timestamptz not null,
  primary key (tenant_id, currency)
);
alter table creator_kyc_holds enable row level security;
alter table creator_kyc_holds force row level security;
grant select on creator_kyc_holds to hissaback_api;
create policy tenant_reads on creator_kyc_holds for select to hissaback_api using (tenant_id = app_tenant());
create policy operator_reads on creator_kyc_holds for select to hissaback_api using ((select is_operator()));
grant select, insert, delete on creator_kyc_holds to hissaback_payout;
create policy payout_all on creator_kyc_holds to hissaback_payout using (true) with check (true);
