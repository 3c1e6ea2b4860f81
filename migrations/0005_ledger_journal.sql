-- The spec's ledger (a row per reward or amendment) and the double entry beside it.

create table ledger (
  led_id bigint not null,
  tenant_id uuid not null,
  created_at timestamptz not null, -- the conversion's: money rule 3
  conv_id bigint not null,
  seq int not null default 0 check (seq >= 0), -- 0 the reward, 1.. its amendments
  user_id uuid references users,
  visitor_id uuid,
  currency char(3) not null,
  user_pct numeric(5,2) not null check (user_pct between 0 and 100),
  user_amount numeric(14,2) not null,
  creator_amount numeric(14,2) not null,
  status text not null check (status in ('pending', 'review', 'confirmed', 'paid', 'rejected', 'reversed')),
  reason text,
  release_at timestamptz not null,
  -- The time of the last change of status; the first is when the row was written.
  status_at timestamptz not null,
  primary key (led_id, tenant_id, created_at),
  -- At most one credit per conversion: tenant and time are the identity row's, which the foreign key pins.
  unique (conv_id, seq, tenant_id, created_at),
  foreign key (conv_id, tenant_id, created_at) references conversion_identities (conv_id, tenant_id, occurred_at),
  check (seq > 0 or (user_amount >= 0 and creator_amount >= 0))
) partition by hash (tenant_id);
create index ledger_status on ledger (status);
create index ledger_release on ledger (release_at) where status = 'pending';
create index ledger_user on ledger (user_id, created_at) where user_id is not null;
create index ledger_visitor on ledger (visitor_id) where user_id is null;

-- pending <-> review, then confirmed, then paid; rejected is fraud's word, reversed the network's. What is written in
-- `revive` is reserved for reconciliation and operators, who say so with the setting app.revive.
create function ledger_moves_by_its_machine() returns trigger language plpgsql as $$
begin
  if (new.led_id, new.tenant_id, new.created_at, new.conv_id, new.seq, new.visitor_id, new.currency, new.user_pct, new.user_amount, new.creator_amount,
      new.release_at)
     is distinct from
     (old.led_id, old.tenant_id, old.created_at, old.conv_id, old.seq, old.visitor_id, old.currency, old.user_pct, old.user_amount, old.creator_amount,
      old.release_at) then
    raise exception 'ledger amounts and keys are immutable' using errcode = 'restrict_violation';
  end if;
  if old.user_id is not null and new.user_id is distinct from old.user_id then
    raise exception 'a reward keeps its shopper' using errcode = 'restrict_violation';
  end if;
  if new.status = old.status
     or (old.status = 'pending' and new.status in ('review', 'confirmed', 'rejected', 'reversed'))
     or (old.status = 'review' and new.status in ('pending', 'rejected', 'reversed'))
     or (old.status = 'confirmed' and new.status in ('paid', 'reversed'))
     or (old.status = 'paid' and new.status = 'reversed')
     or (old.status = 'rejected' and new.status = 'reversed')
     or (old.status in ('rejected', 'reversed') and new.status = 'pending' and current_setting('app.revive', true) = 'yes') then
    return new;
  end if;
  raise exception 'ledger status cannot go from % to %', old.status, new.status using errcode = 'restrict_violation';
end
$$;
create trigger ledger_moves_by_its_machine before update on ledger
  for each row execute function ledger_moves_by_its_machine();
create function ledger_starts_by_its_machine() returns trigger language plpgsql as $$
begin
  if new.status = 'paid' and new.seq = 0 then
    raise exception 'no reward is born paid' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger ledger_starts_by_its_machine before insert on ledger
  for each row execute function ledger_starts_by_its_machine();
create trigger ledger_is_history before delete on ledger
  for each row execute function refuse_change();
create trigger ledger_is_kept before truncate on ledger
  for each statement execute function refuse_change();

-- Append-only double entry. Positive: owed to the account's holder, or spent; the postings of an event sum to zero.
-- Accounts: network:<tenant>, fee:<tenant>, <side>:pending|available|reserved|receivable:<tenant>:<payee>, vouchers:<tenant>.
create table journal_entries (
  event_id text not null check (length(event_id) between 1 and 120),
  account text not null check (length(account) between 1 and 160),
  amount numeric(14,2) not null check (amount <> 0),
  currency char(3) not null,
  tenant_id uuid not null references tenants,
  kind text not null check (kind in ('accrual', 'amendment', 'release', 'reversal', 'revival', 'claim', 'settlement', 'reservation', 'issue', 'return', 'expiry')),
  created_at timestamptz not null,
  primary key (event_id, account, currency)
);
create index journal_entries_tenant on journal_entries (tenant_id, created_at);

-- An event is written by one statement, and every statement's postings sum to zero per event and currency.
create function journal_entries_balance() returns trigger language plpgsql as $$
declare bad text;
begin
  select event_id into bad from added group by event_id, currency having sum(amount) <> 0 limit 1;
  if bad is not null then
    raise exception 'postings of event % do not sum to zero', bad using errcode = 'check_violation';
  end if;
  return null;
end
$$;
create trigger journal_entries_balance after insert on journal_entries
  referencing new table as added for each statement execute function journal_entries_balance();
create trigger journal_entries_are_history before update or delete on journal_entries
  for each row execute function refuse_change();
create trigger journal_entries_are_kept before truncate on journal_entries
  for each statement execute function refuse_change();

-- What a payee can be paid, has reserved, owes. The row is also the lock of release, reservation and reversal (money rule 11).
-- The payee is the shopper's user id, or on the creator's side the tenant itself.
create table payee_accounts (
  tenant_id uuid not null references tenants,
  side text not null check (side in ('shopper', 'creator')),
  payee uuid not null,
  currency char(3) not null,
  available numeric(14,2) not null default 0 check (available >= 0),
  reserved numeric(14,2) not null default 0 check (reserved >= 0),
  receivable numeric(14,2) not null default 0 check (receivable >= 0),
  primary key (tenant_id, side, payee, currency),
  check (side = 'shopper' or payee = tenant_id)
);
create index payee_accounts_payable on payee_accounts (side, available) where available > 0;
create index payee_accounts_payee on payee_accounts (payee);

alter table ledger enable row level security;
alter table ledger force row level security;
alter table journal_entries enable row level security;
alter table journal_entries force row level security;
alter table payee_accounts enable row level security;
alter table payee_accounts force row level security;

grant select on ledger, journal_entries, payee_accounts to hissaback_api;
create policy tenant_reads on ledger for select to hissaback_api using (tenant_id = app_tenant());
create policy user_reads on ledger for select to hissaback_api using (user_id = app_user());
create policy operator_reads on ledger for select to hissaback_api using ((select is_operator()));
create policy tenant_reads on journal_entries for select to hissaback_api using (tenant_id = app_tenant());
create policy operator_reads on journal_entries for select to hissaback_api using ((select is_operator()));
create policy tenant_reads on payee_accounts for select to hissaback_api using (tenant_id = app_tenant());
create policy user_reads on payee_accounts for select to hissaback_api using (side = 'shopper' and payee = app_user());
create policy operator_reads on payee_accounts for select to hissaback_api using ((select is_operator()));

grant select, insert on ledger, journal_entries, payee_accounts to hissaback_ingest;
grant update (status, reason, status_at, user_id) on ledger to hissaback_ingest;
grant update (available, reserved, receivable) on payee_accounts to hissaback_ingest;
create policy ingest_all on ledger to hissaback_ingest using (true) with check (true);
create policy ingest_all on journal_entries to hissaback_ingest using (true) with check (true);
create policy ingest_all on payee_accounts to hissaback_ingest using (true) with check (true);

grant select on ledger, journal_entries, payee_accounts to hissaback_payout;
grant insert on journal_entries, payee_accounts to hissaback_payout;
grant update (status, reason, status_at) on ledger to hissaback_payout;
grant update (available, reserved, receivable) on payee_accounts to hissaback_payout;
create policy payout_all on ledger to hissaback_payout using (true) with check (true);
create policy payout_all on journal_entries to hissaback_payout using (true) with check (true);
create policy payout_all on payee_accounts to hissaback_payout using (true) with check (true);
