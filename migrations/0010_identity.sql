-- Sessions, invitations, API keys, widget tokens; second proofs for recycled phones, erasure, and an installation's first operator.

alter table users add column last_active_at timestamptz; -- the last login or refresh
alter table users add column deleted_at timestamptz;
alter table widgets add column archived_at timestamptz;

-- What its owner sees of a session. Whether its tokens are good is known to the Durable Object of its family alone.
create table sessions (
  session_id uuid primary key,
  user_id uuid not null references users,
  device varchar(60) not null,
  -- The tenant the session works for; null for shopping or operating.
  scope_tenant uuid references tenants,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  revoked_at timestamptz
);
create index sessions_user on sessions (user_id, last_used_at);

create table invitations (
  invitation_id uuid primary key,
  tenant_id uuid not null references tenants,
  phone varchar(16) check (phone ~ '^\+[1-9][0-9]{6,14}$'), -- forgotten once the invitation is settled
  role text not null check (role in ('owner', 'member')),
  invited_by uuid not null references users,
  status text not null default 'open' check (status in ('open', 'accepted', 'declined', 'revoked')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  status_at timestamptz not null,
  check ((status = 'open') = (phone is not null))
);
create unique index invitations_open on invitations (tenant_id, phone) where status = 'open';
create index invitations_phone on invitations (phone) where status = 'open';

create table api_keys (
  key_id uuid primary key,
  tenant_id uuid not null references tenants,
  name varchar(80) not null check (length(btrim(name)) > 0),
  key_hash text not null, -- a keyed hash; the key itself is nowhere
  scopes text[] not null check (cardinality(scopes) between 1 and 50),
  -- Whose rights the key has: it ends with that membership (money rule 24).
  created_by uuid not null references users,
  created_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index api_keys_tenant on api_keys (tenant_id, created_at);

create table widget_tokens (
  token_id uuid primary key, -- the token's jti
  tenant_id uuid not null,
  widget_id uuid not null,
  created_by uuid not null references users,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  foreign key (tenant_id, widget_id) references widgets (tenant_id, widget_id)
);
create index widget_tokens_widget on widget_tokens (tenant_id, widget_id);

alter table sessions enable row level security;
alter table sessions force row level security;
alter table invitations enable row level security;
alter table invitations force row level security;
alter table api_keys enable row level security;
alter table api_keys force row level security;
alter table widget_tokens enable row level security;
alter table widget_tokens force row level security;

grant select, insert, delete on sessions to hissaback_api;
grant update (scope_tenant, last_used_at, revoked_at) on sessions to hissaback_api;
create policy user_own on sessions to hissaback_api using (user_id = app_user()) with check (user_id = app_user());

grant select, insert on invitations to hissaback_api;
grant update (phone, role, invited_by, status, expires_at, status_at) on invitations to hissaback_api;
create policy tenant_own on invitations to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_reads on invitations for select to hissaback_api using ((select is_operator()));

-- Nobody reads a hash but the look-up below.
grant select (key_id, tenant_id, name, scopes, created_by, created_at, last_used_at, revoked_at), insert on api_keys to hissaback_api;
grant update (revoked_at) on api_keys to hissaback_api;
create policy tenant_own on api_keys to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_reads on api_keys for select to hissaback_api using ((select is_operator()));

grant select, insert on widget_tokens to hissaback_api;
grant update (revoked_at) on widget_tokens to hissaback_api;
create policy tenant_own on widget_tokens to hissaback_api using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy operator_reads on widget_tokens for select to hissaback_api using ((select is_operator()));

grant select, update on sessions to hissaback_lookup;
create policy lookup_all on sessions to hissaback_lookup using (true) with check (true);
grant select, update on invitations to hissaback_lookup;
create policy lookup_all on invitations to hissaback_lookup using (true) with check (true);
grant select, update on api_keys to hissaback_lookup;
create policy lookup_all on api_keys to hissaback_lookup using (true) with check (true);
grant insert on operators to hissaback_lookup;
create policy lookup_adds on operators for insert to hissaback_lookup with check (true);
grant update (role), delete on tenant_members to hissaback_lookup;
grant insert on audit_log to hissaback_lookup;
create policy lookup_writes on audit_log for insert to hissaback_lookup with check (true);
grant select (user_id, status) on ledger to hissaback_lookup;
create policy lookup_reads on ledger for select to hissaback_lookup using (true);
grant select (user_id, status, resolved_at) on payouts to hissaback_lookup;
create policy lookup_reads on payouts for select to hissaback_lookup using (true);
grant select (user_id, click_id, created_at) on conversions to hissaback_lookup;
create policy lookup_reads on conversions for select to hissaback_lookup using (true);
grant select on clicks to hissaback_lookup;
create policy lookup_reads on clicks for select to hissaback_lookup using (true);
-- Locks take the right to update; the policy lets none through.
grant select, update (reserved) on payee_accounts to hissaback_lookup;
create policy lookup_locks on payee_accounts to hissaback_lookup using (true) with check (false);
grant update (status) on tenants to hissaback_lookup;

-- Who holds a verified phone, when they were last here, how they could prove that they are still the same person, and whether there is
-- anything to protect. Asked before the login, which changes the answer.
create function phone_holder(p_phone text)
  returns table (user_id uuid, last_active_at timestamptz, proofs text[], is_blank boolean)
  language sql stable security definer set search_path = pg_catalog, public as $$
  select u.user_id, coalesce(u.last_active_at, u.last_login_at),
         array_remove(array[case when u.email is not null then 'email' end, case when u.kyc_hash is not null then 'pan' end], null),
         u.email is null and u.name is null and u.kyc_hash is null
           and not exists (select 1 from ledger l where l.user_id = u.user_id)
           and not exists (select 1 from tenant_members m where m.user_id = u.user_id)
           and not exists (select 1 from operators o where o.user_id = u.user_id)
  from users u where u.phone = p_phone
$$;

-- Gives the phone of someone not seen since `p_inactive_since` to a new user; null if there is no such phone to give.
create function release_phone(p_user uuid, p_new_user uuid, p_audit bigint, p_inactive_since timestamptz, p_at timestamptz) returns uuid
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare released text;
begin
  select u.phone into released from users u
    where u.user_id = p_user and u.phone is not null and coalesce(u.last_active_at, u.last_login_at) < p_inactive_since for update;
  if released is null then
    return null;
  end if;
  update users set phone = null where user_id = p_user;
  insert into users (user_id, phone, created_at, last_login_at) values (p_new_user, released, p_at, p_at);
  insert into audit_log (audit_id, actor, action, subject, created_at)
    values (p_audit, 'user:' || p_new_user, 'user.phone_released', 'user:' || p_user, p_at);
  return p_new_user;
end
$$;

-- The people of the transaction's tenant. Of a phone only its end is shown.
create function tenant_people()
  returns table (user_id uuid, role text, name text, phone_end text, created_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, public as $$
  select m.user_id, m.role, u.name::text, right(u.phone, 4), m.created_at
  from tenant_members m join users u on u.user_id = m.user_id
  where m.tenant_id = app_tenant() order by m.created_at, m.user_id
$$;

-- Invitations stand while whoever made them may still make them (money rule 24).
create function open_invitations(p_at timestamptz)
  returns table (invitation_id uuid, tenant_id uuid, tenant_name text, role text, created_at timestamptz, expires_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, public as $$
  select i.invitation_id, i.tenant_id, t.name::text, i.role, i.created_at, i.expires_at
  from users u
  join invitations i on i.phone = u.phone and i.status = 'open' and i.expires_at > p_at
  join tenants t on t.tenant_id = i.tenant_id and t.status = 'active'
  join tenant_members m on m.tenant_id = i.tenant_id and m.user_id = i.invited_by and m.role = 'owner'
  where u.user_id = app_user() order by i.created_at desc, i.invitation_id
$$;

-- The transaction's user accepts or declines; the tenant, or null if there is no such invitation for them.
create function answer_invitation(p_invitation uuid, p_accept boolean, p_at timestamptz) returns uuid
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare found_tenant uuid; found_role text;
begin
  -- Settled once: of two answers at the same time the second finds it closed.
  update invitations i set status = case when p_accept then 'accepted' else 'declined' end, status_at = p_at, phone = null
    from open_invitations(p_at) o where o.invitation_id = i.invitation_id and i.invitation_id = p_invitation and i.status = 'open'
    returning i.tenant_id, i.role into found_tenant, found_role;
  if found_tenant is not null and p_accept then
    insert into tenant_members as m (tenant_id, user_id, role, created_at) values (found_tenant, app_user(), found_role, p_at)
      on conflict (tenant_id, user_id) do update set role = excluded.role where excluded.role = 'owner';
  end if;
  return found_tenant;
end
$$;

-- A live API key by its public part. Live means: not revoked, and its maker is still a member.
create function find_api_key(p_key uuid)
  returns table (tenant_id uuid, created_by uuid, key_hash text, scopes text[], last_used_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.created_by, k.key_hash, k.scopes, k.last_used_at
  from api_keys k join tenant_members m on m.tenant_id = k.tenant_id and m.user_id = k.created_by
  where k.key_id = p_key and k.revoked_at is null
$$;
create function touch_api_key(p_key uuid, p_at timestamptz) returns void
  language sql security definer set search_path = pg_catalog, public as $$
  update api_keys set last_used_at = p_at where key_id = p_key and (last_used_at is null or last_used_at < p_at)
$$;

-- The clicks behind the purchases of the transaction's user, newest first. Other clicks are known by their visitor alone.
create function purchase_clicks(p_limit int)
  returns table (click_id text, link_id uuid, tenant_id uuid, country text, device text, referrer_host text, source text, created_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, public as $$
  select k.click_id::text, k.link_id, k.tenant_id, k.country::text, k.device, k.referrer_host::text, k.source, k.created_at
  from conversions c join clicks k on k.click_id = c.click_id and k.created_at = id_time(c.click_id)
  where c.user_id = app_user() order by c.created_at desc limit p_limit
$$;

-- Erases the transaction's user as a person. The row stays, so that ledger and journal keep their payee; without a phone nothing is paid to it.
-- Answers 'erased', or why not: 'operator', 'sole_owner', 'payout_in_flight', 'balance' (unless it is given up).
create function erase_user(p_audit bigint, p_forfeit boolean, p_at timestamptz) returns text
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare me uuid := app_user(); my_phone text;
begin
  select u.phone into my_phone from users u where u.user_id = me and u.deleted_at is null for update;
  if not found then
    return 'erased';
  end if;
  if exists (select 1 from operators o where o.user_id = me) then
    return 'operator';
  end if;
  -- Two owners that leave at once: the second waits here.
  perform 1 from tenants t where t.tenant_id in (select m.tenant_id from tenant_members m where m.user_id = me) order by t.tenant_id for update;
  if exists (select 1 from tenant_members m where m.user_id = me and m.role = 'owner' and not exists
      (select 1 from tenant_members other where other.tenant_id = m.tenant_id and other.role = 'owner' and other.user_id <> me)) then
    return 'sole_owner';
  end if;
  -- Reservations lock these rows: none comes in between (money rule 11).
  perform 1 from payee_accounts a where a.side = 'shopper' and a.payee = me order by a.tenant_id, a.side, a.payee, a.currency for update;
  if exists (select 1 from payouts p where p.user_id = me
      and (p.status in ('queued', 'sending', 'issued', 'held', 'error_soft') or (p.status = 'error_hard' and p.resolved_at is null))) then
    return 'payout_in_flight';
  end if;
  if not p_forfeit and (exists (select 1 from payee_accounts a where a.side = 'shopper' and a.payee = me and a.available + a.reserved > 0)
      or exists (select 1 from ledger l where l.user_id = me and l.status in ('pending', 'review'))) then
    return 'balance';
  end if;
  delete from tenant_members m where m.user_id = me;
  update api_keys set revoked_at = p_at where created_by = me and revoked_at is null;
  update invitations set status = 'revoked', status_at = p_at, phone = null where (invited_by = me or phone = my_phone) and status = 'open';
  update sessions set revoked_at = p_at, device = 'Erased' where user_id = me and revoked_at is null;
  update users set phone = null, email = null, name = null, kyc_hash = null, language = 'en', deleted_at = p_at where user_id = me;
  insert into audit_log (audit_id, actor, action, subject, details, created_at)
    values (p_audit, 'user:' || me, 'user.erased', 'user:' || me, jsonb_build_object('forfeit', p_forfeit), p_at);
  return 'erased';
end
$$;

-- Makes the holder of a phone an operator, and the user if there is none. No worker may call it: it is for whoever installs the platform.
create function add_operator(p_phone text, p_new_user uuid, p_audit bigint, p_at timestamptz) returns table (user_id uuid, is_new boolean)
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare holder uuid; added int;
begin
  insert into users as u (user_id, phone, created_at) values (p_new_user, p_phone, p_at) on conflict (phone) do nothing;
  select u.user_id into holder from users u where u.phone = p_phone;
  insert into operators (user_id, created_at) select holder, p_at where not exists (select 1 from operators o where o.user_id = holder);
  get diagnostics added = row_count;
  if added = 1 then
    insert into audit_log (audit_id, actor, action, subject, created_at) values (p_audit, 'installation', 'operator.added', 'user:' || holder, p_at);
  end if;
  return query select holder, added = 1;
end
$$;

do $$
declare f text;
begin
  foreach f in array array['phone_holder(text)', 'release_phone(uuid, uuid, bigint, timestamptz, timestamptz)', 'tenant_people()',
    'open_invitations(timestamptz)', 'answer_invitation(uuid, boolean, timestamptz)', 'find_api_key(uuid)', 'touch_api_key(uuid, timestamptz)', 'purchase_clicks(int)',
    'erase_user(bigint, boolean, timestamptz)'] loop
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to hissaback_api', f);
    execute format('alter function %s owner to hissaback_lookup', f);
  end loop;
  revoke execute on function add_operator(text, uuid, bigint, timestamptz) from public;
  alter function add_operator(text, uuid, bigint, timestamptz) owner to hissaback_lookup;
end
$$;
