-- Signing secrets of webhooks are encrypted by the workers (WEBHOOK_KEYS) before they come here. Those from before are encrypted by the next sweep, which
-- also gives all of them the ring's newest key.

-- A rotation sets `previous_until` anew; a secret that is only encrypted again stays the current one, and nothing moves aside.
create or replace function webhook_secret_moves_aside() returns trigger language plpgsql as $$
begin
  if new.previous_until is null then
    new.previous_secret := null;
  elsif new.previous_until is distinct from old.previous_until then
    new.previous_secret := old.secret;
  end if;
  return new;
end
$$;

create function refuse_open_webhook_secret() returns trigger language plpgsql as $$
begin
  if new.secret <> '' and new.secret !~ '^[0-9]{1,3}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$' then
    raise exception 'a webhook secret is kept encrypted only' using errcode = '23514';
  end if;
  return new;
end
$$;
create trigger webhook_secret_is_sealed before insert or update of secret on webhook_endpoints
  for each row execute function refuse_open_webhook_secret();

grant update (secret) on webhook_endpoints to hissaback_ingest;
