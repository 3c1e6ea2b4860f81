-- Fewer round trips and less work for each batch of the ledger consumer.

-- The same times as before, from functions that are immutable themselves: only then is it expanded where it is called, and costs nothing. A double holds such
-- a number of seconds to a quarter of a microsecond.
create or replace function id_time(id bigint) returns timestamptz language sql immutable parallel safe
  as $$ select to_timestamp(1704067200::float8 + (id >> 22)::float8 / 1000) $$;

-- A row that this transaction has just inserted is locked by that: only those that were there are locked beside them.
create or replace function intake_lock(keys text[]) returns void language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  fresh text[];
begin
  with made as (
    insert into intake_locks select k from (select distinct unnest(keys) as k) d order by k on conflict do nothing returning lock_key)
  select array_agg(lock_key) into fresh from made;
  if coalesce(cardinality(fresh), 0) < cardinality(keys) then
    perform 1 from intake_locks where lock_key in (select unnest(keys) except select unnest(fresh)) order by lock_key for update;
  end if;
end
$$;

-- The second locks of a batch, shoppers and orders by key, and what the fraud rules must know of them: read after the locks, by statements of their own,
-- so that it is what holds under them. Who comes without keys has them already.
create function intake_facts(keys text[], of_users uuid[], of_visitors uuid[], after_at timestamptz, until_at timestamptz, pair_tenants uuid[],
    pair_users uuid[], networks text[], merchants text[], order_ids text[], of_tenants uuid[])
  returns table (kind text, name text, at timestamptz, conv_id bigint, tenant_id uuid, version int, rules jsonb)
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
  if cardinality(keys) > 0 then
    perform intake_lock(keys);
  end if;
  return query
    select 'time', s.id::text, c.created_at, null::bigint, null::uuid, null::int, null::jsonb
      from unnest(of_users) as s(id) join conversions c on c.user_id = s.id
      where c.created_at > after_at and c.created_at <= until_at
    union all
    select 'time', s.id::text, c.created_at, null, null, null, null
      from unnest(of_visitors) as s(id) join conversions c on c.visitor_id = s.id and c.user_id is null
      where c.created_at > after_at and c.created_at <= until_at
    union all
    select 'own', p.tenant_id || ' ' || p.user_id, null, null, null, null, null
      from unnest(pair_tenants, pair_users) as p(tenant_id, user_id)
      where exists (select 1 from tenant_members m join users mine on mine.user_id = m.user_id join users u on u.user_id = p.user_id
                    where m.tenant_id = p.tenant_id and (m.user_id = p.user_id or lower(mine.email) = lower(u.email)))
    union all
    select 'order', 'order:' || o.network || ':' || o.merchant || ':' || o.order_id, o.first_seen, o.conv_id, o.tenant_id, null, null
      from unnest(networks, merchants, order_ids) as p(network, merchant, order_id)
      join order_keys o on o.network = p.network and o.merchant = p.merchant and o.order_id = p.order_id
    union all
    select 'past_order', 'order:' || o.network || ':' || o.merchant || ':' || o.order_id, o.first_seen, o.conv_id, o.tenant_id, null, null
      from unnest(networks, merchants, order_ids) as p(network, merchant, order_id)
      join order_keys_past o on o.network = p.network and o.merchant = p.merchant and o.order_id = p.order_id
    union all
    select 'rules', f.tenant_id::text, null, null, null, f.version, f.rules
      from (select distinct on (g.tenant_id) g.tenant_id, g.version, g.rules from fraud_settings g where g.tenant_id = any(of_tenants)
            order by g.tenant_id, g.version desc) f;
end
$$;

-- The first locks of a batch, and all that it must know before it asks who buys: what was taken already, what its clicks lead to, the conversions of its
-- clicks and network ids, the offers and publishers it names. Read after the locks, by a statement of its own. Postbacks and clicks are looked up one by one
-- in their keys (a limit says so): a plan made while a partition is small would read all of it, and be kept.
create function intake_open(keys text[], postback_ids bigint[], first_postback timestamptz, last_postback timestamptz, click_ids bigint[],
    click_times timestamptz[], link_ids uuid[], visitor_ids uuid[], first_click timestamptz, last_click timestamptz, aliases text[], offer_ids int[],
    publisher_ids text[])
  returns table (kind text, data jsonb)
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
  perform intake_lock(keys, click_ids, aliases);
  return query
    select 'postback', jsonb_build_object('id', p.postback_id::text, 'outcome', p.outcome)
      from unnest(postback_ids) as e(id)
      cross join lateral (
        select q.postback_id, q.outcome from postbacks q
        where q.postback_id = e.id and q.received_at = id_time(e.id) and q.received_at between first_postback and last_postback limit 1) p
    union all
    select 'click', to_jsonb(f) from (
      select e.i, k.click_id is not null as stored, l.link_id,
             case when e.link_id is null then k.visitor_id else e.visitor_id end as visitor_id,
             coalesce(v.user_id, case when e.link_id is null or (k.link_id = e.link_id and k.visitor_id is not distinct from e.visitor_id)
                                      then k.user_id end) as user_id,
             case when k.link_id = l.link_id then k.country end as country,
             l.tenant_id, l.campaign_id, l.offer_id, c.share_pct::text
      from unnest(click_ids, click_times, link_ids, visitor_ids) with ordinality as e(click_id, click_time, link_id, visitor_id, i)
      left join lateral (
        select q.click_id, q.link_id, q.visitor_id, q.user_id, q.country from clicks q
        where q.click_id = e.click_id and q.created_at = e.click_time and q.created_at between first_click and last_click limit 1) k on true
      left join links l on l.link_id = coalesce(e.link_id, k.link_id)
      left join campaigns c on c.tenant_id = l.tenant_id and c.campaign_id = l.campaign_id
      left join visitors v on v.visitor_id = case when e.link_id is null then k.visitor_id else e.visitor_id end) f
    union all
    select 'conversion', to_jsonb(f.conv_id::text) from (
      select i.conv_id from conversion_identities i where i.click_id = any(click_ids)
      union select a.conv_id from conversion_aliases a where a.alias = any(aliases)) f
    union all
    select 'offer', to_jsonb(f) from (
      select offer_id, network, merchant, currency, base_commission_pct::text, fixed_commission::text, country_commissions, cool_off_days
      from offers where offer_id = any(offer_ids)) f
    union all
    select 'publisher', to_jsonb(f) from (select trackier_pid, tenant_id from tenants where trackier_pid = any(publisher_ids)) f;
end
$$;

-- The conversions to lock are found by their keys: with `or` between the two ways to them the whole table is read.
create or replace function intake_lock(keys text[], clicks bigint[], aliases text[]) returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  perform intake_lock(keys);
  perform 1 from conversion_identities
    where conv_id in (select i.conv_id from conversion_identities i where i.click_id = any(clicks)
                      union select a.conv_id from conversion_aliases a where a.alias = any(aliases))
    order by conv_id for update;
end
$$;
