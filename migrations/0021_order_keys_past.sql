-- An order id may be held by several sales that count, each a window or more from the others (money rule 2). `order_keys` names the youngest, which its
-- key makes the only one; those before it are kept here, so that a sale which is revived or arrives late is still asked whether it is one of them again.
create table order_keys_past (
  network text not null,
  merchant varchar(200) not null,
  order_id varchar(128) not null,
  first_seen timestamptz not null,
  conv_id bigint not null,
  tenant_id uuid not null references tenants,
  primary key (network, merchant, order_id, conv_id)
);
create index order_keys_past_conversion on order_keys_past (conv_id);

alter table order_keys_past enable row level security;
alter table order_keys_past force row level security;
grant select, insert, delete on order_keys_past to hissaback_ingest;
create policy ingest_all on order_keys_past to hissaback_ingest using (true) with check (true);
grant select on order_keys_past to hissaback_payout;
create policy payout_reads on order_keys_past for select to hissaback_payout using (true);
