-- Money out, around the payout machine: what operators steer, kill switches, notifications, creators' earnings, statements.

alter table payouts add column held_at timestamptz;
alter table payouts add column held_by uuid references users;
-- An operator asked Amazon to cancel the card; until the answer is known nothing is delivered.
alter table payouts add column cancelling_at timestamptz;
alter table payouts add constraint payouts_hold check ((held_at is null) = (held_by is null));
alter table payouts add constraint payouts_cancelling check (cancelling_at is null or status in ('issued', 'cancelled'));
create index payouts_cancelling on payouts (cancelling_at) where status = 'issued' and cancelling_at is not null;
create index payouts_created on payouts (created_at);
create index payouts_paid on payouts (paid_at) where paid_at is not null;

create or replace function payouts_move_by_their_machine() returns trigger language plpgsql as $$
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
     or (old.status = 'error_soft' and new.status in ('sending', 'held', 'cancelled'))
     or (old.status = 'error_hard' and new.status in ('sending', 'cancelled'))
     or (old.status = 'issued' and new.status in ('paid', 'cancelled')) then
    return new;
  end if;
  raise exception 'payout status cannot go from % to %', old.status, new.status using errcode = 'restrict_violation';
end
$$;

-- A reward that stood in for another one's amendment, and is free again because the payout of that one came back, is owed again: its settlement says so
-- with the setting app.unsettle.
create or replace function ledger_moves_by_its_machine() returns trigger language plpgsql as $$
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
     or (old.status = 'paid' and new.status = 'confirmed' and current_setting('app.unsettle', true) = 'yes')
     or (old.status in ('rejected', 'reversed') and new.status = 'pending' and current_setting('app.revive', true) = 'yes') then
    return new;
  end if;
  raise exception 'ledger status cannot go from % to %', old.status, new.status using errcode = 'restrict_violation';
end
$$;

-- Operators see what finance compares with Amazon's own list; of a voucher's code nobody but the payout worker sees even the ciphertext.
grant select (creation_request_id, gc_id, sms_attempts, card_may_exist, held_at, held_by, cancelling_at, resolved_by) on payouts to hissaback_api;

-- The payout worker acts for operators, and asks in the same transaction whether they still are ones (money rule 24).
grant select on operators to hissaback_payout;
create policy payout_reads on operators for select to hissaback_payout using (true);

-- What works off receivables and amendments, for the payee whose balance changes.
create index payout_items_settled on payout_items (tenant_id, side) where payout_id is null and returned_at is null;

-- A switch that an operator throws and clears; its row stays. Without a tenant it is thrown for all.
create table kill_switches (
  switch_id uuid primary key,
  scope text not null check (scope in ('payouts', 'links')),
  tenant_id uuid references tenants,
  reason text not null check (length(btrim(reason)) > 0),
  thrown_at timestamptz not null,
  thrown_by uuid not null references users,
  cleared_at timestamptz,
  cleared_by uuid references users,
  check ((cleared_at is null) = (cleared_by is null))
);
create unique index kill_switches_thrown on kill_switches (scope, coalesce(tenant_id, '00000000-0000-0000-0000-000000000000')) where cleared_at is null;

-- One text message about a reward or a payout, once (kind and subject). What was not sent says why in its status.
create table notifications (
  user_id uuid not null references users,
  kind text not null check (kind in ('tracked', 'confirmed', 'paid', 'reversed')),
  subject text not null check (length(subject) between 1 and 80), -- c<conversion> or p<payout>
  amount numeric(14,2) not null check (amount > 0),
  currency char(3) not null,
  brand varchar(200),
  -- unknown: the gateway may have taken it, so it is not sent again.
  status text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'switched_off', 'failed', 'stale', 'unknown')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null,
  created_at timestamptz not null,
  status_at timestamptz not null,
  primary key (kind, subject)
);
create index notifications_due on notifications (next_attempt_at) where status in ('queued', 'sending');
create index notifications_user on notifications (user_id, created_at);

-- Whoever has no row is told everything.
create table notification_preferences (
  user_id uuid primary key references users,
  tracked boolean not null default true,
  confirmed boolean not null default true,
  paid boolean not null default true,
  reversed boolean not null default true,
  updated_at timestamptz not null
);

-- Notifications are found by when a reward's status changed; the ledger grows with time, so a few pages tell.
create index ledger_status_at on ledger using brin (status_at) with (pages_per_range = 16, autosummarize = on);

alter table kill_switches enable row level security;
alter table kill_switches force row level security;
alter table notifications enable row level security;
alter table notifications force row level security;
alter table notification_preferences enable row level security;
alter table notification_preferences force row level security;

grant select, insert on kill_switches to hissaback_api;
grant update (cleared_at, cleared_by) on kill_switches to hissaback_api;
create policy operator_all on kill_switches to hissaback_api using ((select is_operator())) with check ((select is_operator()));
grant select on kill_switches to hissaback_payout, hissaback_lookup;
create policy payout_reads on kill_switches for select to hissaback_payout using (true);
create policy lookup_reads on kill_switches for select to hissaback_lookup using (true);

grant select on notifications to hissaback_api;
create policy user_reads on notifications for select to hissaback_api using (user_id = app_user());
grant select, insert on notifications to hissaback_payout;
grant update (status, attempts, next_attempt_at, status_at) on notifications to hissaback_payout;
create policy payout_all on notifications to hissaback_payout using (true) with check (true);

grant select, insert, update on notification_preferences to hissaback_api;
create policy user_own on notification_preferences to hissaback_api using (user_id = app_user()) with check (user_id = app_user());
grant select on notification_preferences to hissaback_payout;
create policy payout_reads on notification_preferences for select to hissaback_payout using (true);

-- True while a switch of that scope is thrown for all or for the tenant: the one thing that others than operators may know of it.
create function is_stopped(p_scope text, p_tenant uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, public as $$
  select exists (select 1 from kill_switches k
    where k.scope = p_scope and k.cleared_at is null and (k.tenant_id is null or k.tenant_id = p_tenant))
$$;
revoke execute on function is_stopped(text, uuid) from public;
grant execute on function is_stopped(text, uuid) to hissaback_api, hissaback_payout;
alter function is_stopped(text, uuid) owner to hissaback_lookup;
