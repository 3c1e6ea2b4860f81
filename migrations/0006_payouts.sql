-- Payouts: one row per gift card, its creationRequestId, amount, currency and endpoint written once.

create table payouts (
  payout_id uuid primary key,
  tenant_id uuid not null references tenants,
  side text not null check (side in ('shopper', 'creator')),
  payee uuid not null,
  user_id uuid not null references users, -- who receives the SMS
  method text not null default 'amazon_gift_voucher' check (method = 'amazon_gift_voucher'),
  currency char(3) not null,
  amount numeric(14,2) not null check (amount > 0),
  status text not null check (status in ('queued', 'sending', 'issued', 'paid', 'error_hard', 'error_soft', 'held', 'cancelled')),
  creation_request_id varchar(40) not null unique check (creation_request_id ~ '^[A-Za-z0-9]{1,40}$'),
  agcod_endpoint text not null,
  agcod_region text not null,
  partner_id varchar(15) not null,
  -- Committed with `sending`, before the call: while it stands nothing is reversed or paid again (money rule 14).
  card_may_exist boolean not null default false,
  attempts int not null default 0 check (attempts >= 0),
  first_attempt_at timestamptz,
  next_attempt_at timestamptz not null, -- also the lease: claiming pushes it forward
  intent_stored_at timestamptz,
  gc_id varchar(64) unique,
  voucher_code text, -- AES-256-GCM with key id, bound to payout_id; null once erased
  issued_at timestamptz,
  sms_attempts int not null default 0,
  sms_reference text,
  paid_at timestamptz,
  error_code text,
  error_type text,
  resolved_at timestamptz,
  resolved_by uuid references users,
  created_at timestamptz not null,
  status_at timestamptz not null,
  unique (tenant_id, payout_id),
  check ((status = 'paid') = (paid_at is not null)),
  check (status <> 'issued' or voucher_code is not null),
  check (status not in ('issued', 'paid') or gc_id is not null),
  check (status not in ('paid', 'cancelled') or voucher_code is null),
  check (status not in ('sending', 'issued', 'paid') or card_may_exist)
);
create index payouts_user on payouts (user_id);
create index payouts_due on payouts (next_attempt_at) where status in ('queued', 'sending', 'issued', 'held', 'error_soft');
create index payouts_open_payee on payouts (tenant_id, side, payee) where status in ('queued', 'sending', 'issued', 'held', 'error_soft', 'error_hard');

create function payouts_move_by_their_machine() returns trigger language plpgsql as $$
begin
  if (new.payout_id, new.tenant_id, new.side, new.payee, new.user_id, new.method, new.currency, new.amount, new.creation_request_id,
      new.agcod_endpoint, new.agcod_region, new.partner_id, new.created_at)
     is distinct from
     (old.payout_id, old.tenant_id, old.side, old.payee, old.user_id, old.method, old.currency, old.amount, old.creation_request_id,
      old.agcod_endpoint, old.agcod_region, old.partner_id, old.created_at) then
    raise exception 'a payout keeps its amount, payee and creationRequestId' using errcode = 'restrict_violation';
  end if;
  if old.gc_id is not null and new.gc_id is distinct from old.gc_id then
    raise exception 'a payout keeps its gift card' using errcode = 'restrict_violation';
  end if;
  if new.status = old.status
     or (old.status = 'queued' and new.status in ('sending', 'cancelled', 'held'))
     or (old.status = 'sending' and new.status in ('issued', 'error_hard', 'error_soft', 'held', 'cancelled'))
     or (old.status = 'held' and new.status in ('queued', 'sending', 'cancelled'))
     or (old.status = 'error_soft' and new.status in ('sending', 'cancelled'))
     or (old.status = 'error_hard' and new.status in ('sending', 'cancelled'))
     or (old.status = 'issued' and new.status in ('paid', 'cancelled')) then
    return new;
  end if;
  raise exception 'payout status cannot go from % to %', old.status, new.status using errcode = 'restrict_violation';
end
$$;
create trigger payouts_move_by_their_machine before update on payouts
  for each row execute function payouts_move_by_their_machine();
create trigger payouts_are_history before delete on payouts
  for each row execute function refuse_change();
create trigger payouts_are_kept before truncate on payouts
  for each statement execute function refuse_change();

-- What each payout pays, shopper's and creator's side apart (money rule 12). Without a payout: worked off a receivable.
create table payout_items (
  led_id bigint not null,
  tenant_id uuid not null,
  side text not null check (side in ('shopper', 'creator')),
  event_id text not null, -- the reservation's or settlement's event in the journal
  payout_id uuid,
  amount numeric(14,2) not null check (amount > 0),
  returned_at timestamptz, -- the reservation was given back
  primary key (led_id, side, event_id),
  foreign key (tenant_id, payout_id) references payouts (tenant_id, payout_id)
);
create index payout_items_payout on payout_items (payout_id);
create index payout_items_tenant on payout_items (tenant_id);

alter table payouts enable row level security;
alter table payouts force row level security;
alter table payout_items enable row level security;
alter table payout_items force row level security;

grant select (payout_id, tenant_id, side, payee, user_id, method, currency, amount, status, attempts, next_attempt_at, issued_at, paid_at, error_code,
  error_type, resolved_at, created_at, status_at) on payouts to hissaback_api;
create policy tenant_reads on payouts for select to hissaback_api using (tenant_id = app_tenant());
create policy user_reads on payouts for select to hissaback_api using (user_id = app_user());
create policy operator_reads on payouts for select to hissaback_api using ((select is_operator()));
grant select on payout_items to hissaback_api;
create policy tenant_reads on payout_items for select to hissaback_api using (tenant_id = app_tenant());
create policy user_reads on payout_items for select to hissaback_api
  using (exists (select 1 from payouts p where p.payout_id = payout_items.payout_id and p.user_id = app_user()));
create policy operator_reads on payout_items for select to hissaback_api using ((select is_operator()));

grant select, insert, update on payouts, payout_items to hissaback_payout;
create policy payout_all on payouts to hissaback_payout using (true) with check (true);
create policy payout_all on payout_items to hissaback_payout using (true) with check (true);

-- A reversal may have to cancel a queued payout (money rule 11); it sees no voucher code.
grant select (payout_id, tenant_id, side, payee, user_id, currency, amount, status, card_may_exist, created_at) on payouts to hissaback_ingest;
grant update (status, status_at) on payouts to hissaback_ingest;
grant select, insert on payout_items to hissaback_ingest;
grant update (returned_at) on payout_items to hissaback_ingest;
create policy ingest_all on payouts to hissaback_ingest using (true) with check (true);
create policy ingest_all on payout_items to hissaback_ingest using (true) with check (true);
