-- Whoever is being erased joins nothing any more: an answer waits for the erasure, and then finds nobody.
set local role hissaback_lookup; -- whose function it is
create or replace function answer_invitation(p_invitation uuid, p_accept boolean, p_at timestamptz) returns uuid
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare found_tenant uuid; found_role text;
begin
  perform 1 from users u where u.user_id = app_user() and u.deleted_at is null for key share;
  if not found then
    return null;
  end if;
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
set local role hissaback_owner;
