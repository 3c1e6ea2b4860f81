-- What must be asked before a tenant or user is known: functions with a narrow owner, one purpose each.

grant select, insert, update on users to hissaback_lookup;
create policy lookup_all on users to hissaback_lookup using (true) with check (true);
grant select, insert on tenant_members to hissaback_lookup;
create policy lookup_all on tenant_members to hissaback_lookup using (true) with check (true);
grant select, insert on tenants to hissaback_lookup;
create policy lookup_all on tenants to hissaback_lookup using (true) with check (true);
grant select, insert, update on visitors to hissaback_lookup;
create policy lookup_all on visitors to hissaback_lookup using (true) with check (true);
grant select on links to hissaback_lookup;
grant update (published_version) on links to hissaback_lookup;
create policy lookup_all on links to hissaback_lookup using (true) with check (true);
grant select on offers, campaigns to hissaback_lookup;
create policy lookup_reads on offers for select to hissaback_lookup using (true);
create policy lookup_reads on campaigns for select to hissaback_lookup using (true);

-- A verified phone becomes a user: the one there is, or a new one with the id offered. Two logins at once make one user.
create function login_user(p_phone text, p_new_user uuid, p_at timestamptz)
  returns table (user_id uuid, is_new boolean, is_operator boolean)
  language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  return query
    with login as (
      insert into users as u (user_id, phone, created_at, last_login_at) values (p_new_user, p_phone, p_at, p_at)
      on conflict (phone) do update set last_login_at = excluded.last_login_at
      returning u.user_id
    )
    select l.user_id, l.user_id = p_new_user, exists (select 1 from operators o where o.user_id = l.user_id) from login l;
end
$$;

-- A tenant and its owner come into being together.
create function found_tenant(p_tenant uuid, p_name text, p_owner uuid, p_at timestamptz) returns void
  language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into tenants (tenant_id, name, created_at) values (p_tenant, p_name, p_at);
  insert into tenant_members (tenant_id, user_id, role, created_at) values (p_tenant, p_owner, 'owner', p_at);
end
$$;

-- Binds a visitor to a shopper, once and to one only (money rule 8). Returns whose it is afterwards.
create function bind_visitor(p_visitor uuid, p_user uuid, p_at timestamptz) returns uuid
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare holder uuid;
begin
  insert into visitors (visitor_id, user_id, created_at, bound_at) values (p_visitor, p_user, p_at, p_at)
    on conflict (visitor_id) do update set user_id = excluded.user_id, bound_at = excluded.bound_at where visitors.user_id is null;
  select v.user_id into holder from visitors v where v.visitor_id = p_visitor;
  return holder;
end
$$;

-- A shopper's own visitor id, for clicks made while logged in; the first one asked for is kept.
create function visitor_of_user(p_user uuid, p_new_visitor uuid, p_at timestamptz) returns uuid
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare mine uuid;
begin
  select v.visitor_id into mine from visitors v where v.user_id = p_user order by v.created_at, v.visitor_id limit 1;
  if mine is null then
    mine := p_new_visitor;
    insert into visitors (visitor_id, user_id, created_at, bound_at) values (mine, p_user, p_at, p_at);
  end if;
  return mine;
end
$$;

-- Links whose copy in KV is behind, with all that a redirect needs; and the mark that a copy was made.
create function links_to_publish(p_limit int, p_link uuid default null)
  returns table (link_id uuid, tenant_id uuid, host text, slug text, version bigint, link_status text, campaign_status text, tenant_status text,
    offer_status text, expires_at timestamptz, fallback_url text, sub_ids jsonb, utm jsonb, targets jsonb, tracking_link text, trackier_pid text)
  language sql stable security definer set search_path = pg_catalog, public as $$
  select l.link_id, l.tenant_id, l.host::text, l.slug::text, l.version, l.status, c.status, t.status, o.status, l.expires_at, l.fallback_url,
         l.sub_ids, l.utm, l.targets, o.tracking_link, t.trackier_pid::text
  from links l
  join campaigns c on c.tenant_id = l.tenant_id and c.campaign_id = l.campaign_id
  join tenants t on t.tenant_id = l.tenant_id
  join offers o on o.offer_id = l.offer_id
  where case when p_link is null then l.published_version < l.version else l.link_id = p_link end
  order by l.link_id limit p_limit
$$;
create function link_published(p_link uuid, p_version bigint) returns void
  language sql security definer set search_path = pg_catalog, public
  as $$ update links set published_version = p_version where link_id = p_link and published_version < p_version $$;

-- The link behind an id, for a click that the api mints on behalf of a page or widget of any tenant.
create function link_for_click(p_link uuid)
  returns table (link_id uuid, tenant_id uuid, host text, slug text, status text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select l.link_id, l.tenant_id, l.host::text, l.slug::text, l.status from links l where l.link_id = p_link $$;

-- Which tenants someone belongs to, newest membership first.
create function memberships_of(p_user uuid)
  returns table (tenant_id uuid, role text, created_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select m.tenant_id, m.role, m.created_at from tenant_members m where m.user_id = p_user order by m.created_at desc, m.tenant_id $$;

do $$
declare f text;
begin
  foreach f in array array['login_user(text, uuid, timestamptz)', 'found_tenant(uuid, text, uuid, timestamptz)', 'bind_visitor(uuid, uuid, timestamptz)',
    'visitor_of_user(uuid, uuid, timestamptz)', 'links_to_publish(int, uuid)', 'link_published(uuid, bigint)', 'link_for_click(uuid)', 'memberships_of(uuid)'] loop
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to hissaback_api', f);
    execute format('alter function %s owner to hissaback_lookup', f);
  end loop;
end
$$;
